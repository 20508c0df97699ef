package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	qzmq "qzmq.test/go"
)

// clientArgument makes this program the other side: its next argument says the backend and the suite.
const clientArgument = "-as-client"

// task is what the client does for one measurement.
type task struct {
	What      string // push, request or first
	Mechanism string
	Endpoint  string
	Key       string
	Size      int
	Count     int
}

// outcome is the client's answer to a task.
type outcome struct {
	Seconds float64
	Error   string
}

// client is the other process.
type client struct {
	command *exec.Cmd
	tasks   *json.Encoder
	answers *json.Decoder
	input   io.Closer
}

func startClient(backend string, suite qzmq.Suite) (*client, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := exec.Command(self, clientArgument, backend+" "+suite.String())
	command.Stderr = os.Stderr
	input, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &client{command, json.NewEncoder(input), json.NewDecoder(output), input}, command.Start()
}

func (c *client) ask(t task) error { return c.tasks.Encode(t) }

func (c *client) answer() (float64, error) {
	var o outcome
	if err := c.answers.Decode(&o); err != nil {
		return 0, fmt.Errorf("the client: %w", err)
	}
	if o.Error != "" {
		return 0, fmt.Errorf("the client: %s", o.Error)
	}
	return o.Seconds, nil
}

func (c *client) stop() {
	_ = c.input.Close()
	_ = c.command.Wait()
}

// serveAsClient does tasks until the end of input.
func serveAsClient(what string, input io.Reader, output io.Writer) error {
	backend, text, _ := strings.Cut(what, " ")
	suite, err := qzmq.ParseSuite(text)
	if err != nil {
		return err
	}
	mechanisms := make(map[string]mechanism)
	for _, m := range mechanismsOf(backend, suite) {
		mechanisms[m.name()] = m
	}
	tasks, answers := json.NewDecoder(input), json.NewEncoder(output)
	for {
		var t task
		switch err := tasks.Decode(&t); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		var o outcome
		o.Seconds, err = t.do(mechanisms[t.Mechanism])
		if err != nil {
			o.Error = err.Error()
		}
		if err := answers.Encode(o); err != nil {
			return err
		}
	}
}

func (t task) do(m mechanism) (seconds float64, err error) {
	switch t.What {
	case "push":
		return 0, t.push(m)
	case "request":
		return t.request(m)
	}
	for range t.Count {
		began := time.Now()
		s, err := m.connect("REQ", t.Endpoint, t.Key)
		if err == nil {
			err = exchange(s, make([]byte, t.Size))
		}
		if err != nil {
			return 0, err
		}
		seconds += time.Since(began).Seconds()
		if err := s.Close(); err != nil {
			return 0, err
		}
	}
	return seconds, nil
}

func (t task) push(m mechanism) error {
	s, err := m.connect("PUSH", t.Endpoint, t.Key)
	if err != nil {
		return err
	}
	message := make([]byte, t.Size)
	for range t.Count {
		if err := s.Send(message); err != nil {
			return err
		}
	}
	return s.Close()
}

func (t task) request(m mechanism) (float64, error) {
	s, err := m.connect("REQ", t.Endpoint, t.Key)
	if err != nil {
		return 0, err
	}
	message := make([]byte, t.Size)
	if err := exchange(s, message); err != nil {
		return 0, err
	}
	began := time.Now()
	for range t.Count {
		if err := exchange(s, message); err != nil {
			return 0, err
		}
	}
	return time.Since(began).Seconds(), s.Close()
}

// exchange sends a request and waits for its echo.
func exchange(s socket, message []byte) error {
	if err := s.Send(message); err != nil {
		return err
	}
	answer, err := s.Recv()
	if err == nil && len(answer) != len(message) {
		return fmt.Errorf("an echo of %d octets instead of %d", len(answer), len(message))
	}
	return err
}
