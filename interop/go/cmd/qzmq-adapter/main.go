// qzmq-adapter lets the conformance suite drive this library: it reads requests as JSON Lines on standard input and
// answers them on standard output (docs/guide/adapter.md, conformance/adapter.schema.json). Built with cgo its sockets
// are libzmq's, without it go-zeromq's.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	qzmq "qzmq.test/go"
)

// request is a request's fields of whichever verb.
type request struct {
	ID   int    `json:"id"`
	Verb string `json:"verb"`
	Case string `json:"case"`

	Pattern  string         `json:"pattern"`
	Endpoint string         `json:"endpoint"`
	Bind     bool           `json:"bind"`
	Security *security      `json:"security"`
	Options  map[string]any `json:"options"`
	Features []string       `json:"features"`

	Socket     int      `json:"socket"`
	Parts      []string `json:"parts"`
	Action     string   `json:"action"`
	Generation bool     `json:"generation"`
	Ticket     bool     `json:"ticket"`
	Label      string   `json:"label"`
	Context    string   `json:"context"`
	Length     int      `json:"length"`

	Kind      string          `json:"kind"`
	Operation string          `json:"operation"`
	Input     json.RawMessage `json:"input"`
}

// answer is an answer's fields beside its id.
type answer map[string]any

// unsupported is the error that says that the library, or this adapter, does not have something.
type unsupported string

func (u unsupported) Error() string { return string(u) }

func main() {
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	a, err := newAdapter(logger)
	if err == nil {
		err = a.serve(os.Stdin, os.Stdout)
	}
	if err != nil {
		logger.Error("the adapter ends", "error", err)
		os.Exit(1)
	}
}

// serve answers request after request until shutdown or the end of input.
func (a *adapter) serve(input io.Reader, output io.Writer) error {
	lines := bufio.NewReaderSize(input, 1<<16)
	encoder := json.NewEncoder(output)
	encoder.SetEscapeHTML(false)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var asked request
		if err := json.Unmarshal(line, &asked); err != nil {
			return fmt.Errorf("a request: %w", err)
		}
		if err := encoder.Encode(a.reply(asked)); err != nil {
			return err
		}
		if asked.Verb == "shutdown" {
			return nil
		}
	}
}

func (a *adapter) reply(asked request) answer {
	given, err := a.do(asked)
	var lacks unsupported
	switch {
	case errors.As(err, &lacks):
		given = answer{"unsupported": lacks.Error()}
	case errors.Is(err, errors.ErrUnsupported):
		given = answer{"unsupported": err.Error()}
	case err != nil:
		given = answer{"error": err.Error()}
	}
	given["id"] = asked.ID
	return given
}

func (a *adapter) do(asked request) (answer, error) {
	switch asked.Verb {
	case "describe":
		return a.describe(), nil
	case "open":
		return a.open(asked)
	case "send":
		return a.send(asked)
	case "recv":
		return a.receive()
	case "control":
		return a.control(asked)
	case "events":
		return a.events(), nil
	case "vector":
		return vector(asked)
	case "shutdown":
		return answer{}, a.shutdown()
	}
	return nil, unsupported("verb " + asked.Verb)
}

func (a *adapter) describe() answer {
	return answer{
		"protocol": 1, "name": "qzmq-go " + a.backend.String(), "version": "1", "capabilities": a.capabilities,
	}
}

func newAdapter(logger *slog.Logger) (*adapter, error) {
	probe, err := qzmq.New(qzmq.DefaultOptions())
	if err != nil {
		return nil, err
	}
	a := &adapter{
		log: logger, backend: probe.Backend(), capabilities: capabilitiesOf(probe), sockets: make(map[int]*opened),
		tickets: qzmq.NewTicketStore(),
	}
	return a, probe.Close()
}
