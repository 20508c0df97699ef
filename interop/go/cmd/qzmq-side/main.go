// Command qzmq-side plays one end of a measurement of `qzmq throughput`: it is told in lines of JSON on its standard input
// what to measure, and answers on its standard output. The protocol is in interop/README.md.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "qzmq-side:", err)
		os.Exit(1)
	}
}

// opening is the first line.
type opening struct {
	Role      string   `json:"role"`
	Mechanism string   `json:"mechanism"`
	Suites    []string `json:"suites"`
	Keys      keys     `json:"keys"`
}

// keys are 40 Z85 characters each, empty under NULL; a side has its own secret only.
type keys struct {
	ServerPublic string `json:"server_public"`
	ServerSecret string `json:"server_secret"`
	ClientPublic string `json:"client_public"`
	ClientSecret string `json:"client_secret"`
}

// plan is how much work one measurement is.
type plan struct {
	Size     int `json:"size"`
	Messages int `json:"messages"`
	Sessions int `json:"sessions"`
	WarmUp   int `json:"warm_up"`
}

// figures are a measurement's results, by name.
type figures map[string]float64

func run(in io.Reader, out io.Writer) error {
	s := &side{in: json.NewDecoder(in), out: json.NewEncoder(out)}
	var first struct {
		Open opening `json:"open"`
	}
	if err := s.in.Decode(&first); err != nil {
		return fmt.Errorf("the first line: %w", err)
	}
	var err error
	if s.opening = first.Open; s.opening.Mechanism == "QZMQ" {
		s.stack, err = newSecured(s.opening)
	} else {
		s.stack, err = newPlain(s.opening)
	}
	if err != nil {
		return s.out.Encode(map[string]string{"error": err.Error()})
	}
	defer s.stack.close()
	if err := s.out.Encode(map[string]string{"opened": "qzmq in Go, " + backend}); err != nil {
		return err
	}
	return s.obey()
}

// side is an end, and the way to the other one beside the sockets.
type side struct {
	opening opening
	stack   stack
	in      *json.Decoder
	out     *json.Encoder
}

func (s *side) obey() error {
	for {
		var order struct {
			Measure string `json:"measure"`
			Plan    plan   `json:"plan"`
		}
		if err := s.in.Decode(&order); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := s.out.Encode(s.measure(order.Measure, order.Plan)); err != nil {
			return err
		}
	}
}

func (s *side) measure(name string, p plan) any {
	work, known := measures[name]
	if !known {
		return map[string]string{"error": "there is no measurement " + name}
	}
	before := processorTime()
	found, err := work(s, p)
	if err != nil {
		return map[string]string{"error": fmt.Sprintf("%s: %v", name, err)}
	}
	return map[string]any{"figures": found, "cpu": processorTime() - before}
}

// tell hands a word to the other end.
func (s *side) tell(word string) error { return s.out.Encode(map[string]string{"tell": word}) }

// hear is the other end's next word.
func (s *side) hear() (string, error) {
	if err := s.out.Encode(map[string]bool{"hear": true}); err != nil {
		return "", err
	}
	var line struct {
		Told string `json:"told"`
	}
	err := s.in.Decode(&line)
	return line.Told, err
}

// processorTime is what all threads have used so far, in seconds.
func processorTime() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}
