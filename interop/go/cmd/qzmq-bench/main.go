// qzmq-bench measures what QZMQ costs beside ZMTP NULL and, with libzmq, beside CURVE: messages from PUSH to PULL,
// round trips, and the time to the first echo. One run measures all of them with two processes, the second of which is
// this program again. Figures are good for ratios within a run.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"

	qzmq "qzmq.test/go"
)

// settings are what the command line says.
type settings struct {
	rounds  int
	scale   float64
	backend string
	only    string
	json    bool
	suite   qzmq.Suite
}

var suites = map[string]qzmq.AeadAlgorithm{"aes": qzmq.AES256GCM, "chacha": qzmq.ChaCha20Poly1305}

// processors is the least GOMAXPROCS of both processes: a goroutine that waits in a libzmq socket keeps one for itself,
// and with two the links then wait for the other.
const processors = 4

func main() {
	runtime.GOMAXPROCS(max(processors, runtime.GOMAXPROCS(0)))
	if len(os.Args) == 3 && os.Args[1] == clientArgument {
		exit(serveAsClient(os.Args[2], os.Stdin, os.Stdout))
	}
	s := settings{suite: qzmq.Suite{Kem: qzmq.HybridX25519MLKEM768, Sig: qzmq.MLDSA44, Hash: qzmq.SHA256}}
	suite := flag.String("suite", "aes", "aes or chacha: the AEAD of QZMQ's records")
	flag.IntVar(&s.rounds, "rounds", 5, "rounds, of which the median counts")
	flag.Float64Var(&s.scale, "scale", 1, "messages in each measurement, as a multiple")
	flag.StringVar(&s.backend, "backend", "", "libzmq or go; both, as far as they are built in, if left out")
	flag.StringVar(&s.only, "only", "", "only measurements whose name contains this")
	flag.BoolVar(&s.json, "json", false, "print every sample as JSON, and nothing else")
	flag.Parse()
	aead, known := suites[*suite]
	if !known {
		exit(fmt.Errorf("suite %q is neither aes nor chacha", *suite))
	}
	s.suite.Aead = aead
	results, err := s.measure()
	if err != nil {
		exit(err)
	}
	if s.json {
		exit(json.NewEncoder(os.Stdout).Encode(results))
	}
	results.print(os.Stdout)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "qzmq-bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// measure runs every measurement over every mechanism, round by round; each round begins with another mechanism.
func (s settings) measure() (*results, error) {
	found := newResults(s)
	for _, backend := range backends() {
		if s.backend != "" && s.backend != backend {
			continue
		}
		if err := s.measureBackend(backend, found); err != nil {
			return nil, fmt.Errorf("backend %s: %w", backend, err)
		}
	}
	return found, nil
}

func (s settings) measureBackend(backend string, found *results) error {
	mechanisms := mechanismsOf(backend, s.suite)
	other, err := startClient(backend, s.suite)
	if err != nil {
		return err
	}
	defer other.stop()
	for round := range s.rounds + 1 {
		for _, m := range measurements {
			if !strings.Contains(m.name, s.only) {
				continue
			}
			for i := range mechanisms {
				mechanism := mechanisms[(i+round)%len(mechanisms)]
				sample, err := m.run(mechanism, other, m.count(s.scale, backend))
				if err != nil {
					return fmt.Errorf("%s over %s: %w", m.name, mechanism.name(), err)
				}
				if round > 0 { // the first warms everything up
					found.add(backend, m.name, mechanism.name(), sample)
				}
			}
		}
	}
	return nil
}
