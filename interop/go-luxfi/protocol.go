package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// protocolVersion is that of conformance/adapter.schema.json.
const protocolVersion = 1

// errUnsupported is the answer to what the adapter or the module does not have, and to nothing else.
var errUnsupported = errors.New("unsupported")

// request is one line on standard input; each verb reads the fields it needs.
type request struct {
	ID       int            `json:"id"`
	Verb     string         `json:"verb"`
	Socket   int            `json:"socket"`
	Action   string         `json:"action"`
	Pattern  string         `json:"pattern"`
	Endpoint string         `json:"endpoint"`
	Bind     bool           `json:"bind"`
	Security *security      `json:"security"`
	Options  map[string]any `json:"options"`
	Features []string       `json:"features"`
	Parts    []string       `json:"parts"`
}

// security is what of the socket's security the module has a place for: its policy. It knows neither keys nor pins.
type security struct {
	Policy struct {
		Suites [][]string `json:"suites"`
		Mode   string     `json:"mode"`
	} `json:"policy"`
}

type answer map[string]any

// adapter serves one request after the other; sockets are known by number.
type adapter struct {
	sockets map[int]*socket
	opened  int
}

// serve answers every line of in until shutdown or its end, then closes what is open.
func (a *adapter) serve(in io.Reader, out io.Writer) error {
	defer a.close()
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 1<<16), 1<<26)
	for lines.Scan() {
		var asked request
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			return fmt.Errorf("request: %w", err)
		}
		found, err := a.answer(asked)
		if errors.Is(err, errUnsupported) {
			found = answer{"unsupported": err.Error()}
		} else if err != nil {
			found = answer{"error": err.Error()}
		}
		found["id"] = asked.ID
		line, err := json.Marshal(found)
		if err != nil {
			return fmt.Errorf("answer: %w", err)
		}
		if _, err := out.Write(append(line, '\n')); err != nil {
			return fmt.Errorf("answer: %w", err)
		}
		if asked.Verb == "shutdown" {
			return nil
		}
	}
	return lines.Err()
}

func (a *adapter) answer(asked request) (answer, error) {
	switch asked.Verb {
	case "describe":
		return describe(), nil
	case "open":
		return a.open(asked)
	case "send":
		return a.send(asked)
	case "recv":
		return a.receive(), nil
	case "control":
		return a.control(asked)
	case "shutdown":
		return answer{}, nil
	}
	return nil, fmt.Errorf("%w: verb %s", errUnsupported, asked.Verb)
}

func (a *adapter) open(asked request) (answer, error) {
	for _, feature := range asked.Features {
		if feature != "plaintext" {
			return nil, fmt.Errorf("%w: feature %s", errUnsupported, feature)
		}
	}
	opened, endpoint, err := open(asked)
	if err != nil {
		return nil, err
	}
	a.opened++
	a.sockets[a.opened] = opened
	return answer{"socket": a.opened, "endpoint": endpoint}, nil
}

func (a *adapter) send(asked request) (answer, error) {
	parts := make([][]byte, len(asked.Parts))
	for i, part := range asked.Parts {
		octets, err := hex.DecodeString(part)
		if err != nil {
			return nil, fmt.Errorf("part %d: %w", i, err)
		}
		parts[i] = octets
	}
	to, known := a.sockets[asked.Socket]
	if !known {
		return nil, fmt.Errorf("no socket %d", asked.Socket)
	}
	return answer{"sent": to.send(parts)}, nil
}

func (a *adapter) receive() answer {
	messages := []answer{}
	for number, from := range a.sockets {
		for _, message := range from.received() {
			parts := make([]string, len(message))
			for i, part := range message {
				parts[i] = hex.EncodeToString(part)
			}
			messages = append(messages, answer{"socket": number, "parts": parts, "properties": answer{}})
		}
	}
	return answer{"messages": messages}
}

func (a *adapter) control(asked request) (answer, error) {
	found, known := a.sockets[asked.Socket]
	if !known {
		return nil, fmt.Errorf("no socket %d", asked.Socket)
	}
	switch asked.Action {
	case "case":
	case "close":
		delete(a.sockets, asked.Socket)
		found.close()
	default:
		return nil, fmt.Errorf("%w: action %s", errUnsupported, asked.Action)
	}
	return answer{}, nil
}

func (a *adapter) close() {
	for _, each := range a.sockets {
		each.close()
	}
}
