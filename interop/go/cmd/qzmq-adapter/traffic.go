package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"syscall"

	qzmq "qzmq.test/go"
)

// adapter is the state between requests.
type adapter struct {
	log          *slog.Logger
	backend      qzmq.Backend
	capabilities capabilities
	sockets      map[int]*opened
	next         int
	tickets      *qzmq.TicketStore // of all sockets: a server that comes back with another policy knows its tickets

	mu       sync.Mutex
	happened []answer // events that the suite has not asked for yet
}

func (a *adapter) find(number int) (*opened, error) {
	if o, found := a.sockets[number]; found {
		return o, nil
	}
	return nil, fmt.Errorf("there is no socket %d", number)
}

// numbers are those of the open sockets, in the order in which they were opened.
func (a *adapter) numbers() []int {
	numbers := make([]int, 0, len(a.sockets))
	for number := range a.sockets {
		numbers = append(numbers, number)
	}
	slices.Sort(numbers)
	return numbers
}

func (a *adapter) send(asked request) (answer, error) {
	o, err := a.find(asked.Socket)
	if err != nil {
		return nil, err
	}
	parts := make([][]byte, len(asked.Parts))
	for i, part := range asked.Parts {
		if parts[i], err = hex.DecodeString(part); err != nil {
			return nil, err
		}
	}
	err = o.socket.TrySend(parts, 0)
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, syscall.EHOSTUNREACH) {
		return answer{"sent": false}, nil
	}
	return answer{"sent": true}, err
}

func (a *adapter) receive() (answer, error) {
	messages := []answer{}
	for _, number := range a.numbers() {
		for {
			message, err := a.sockets[number].socket.RecvMessage(0)
			if err != nil { // nothing is there, or this type does not receive
				break
			}
			messages = append(messages, a.message(number, message))
		}
	}
	return answer{"messages": messages}, nil
}

func (a *adapter) message(number int, message qzmq.Message) answer {
	parts := make([]string, len(message.Parts))
	for i, part := range message.Parts {
		parts[i] = hex.EncodeToString(part)
	}
	given := answer{"socket": number, "parts": parts}
	if message.Properties != nil {
		given["properties"] = message.Properties
	}
	return given
}

func (a *adapter) control(asked request) (answer, error) {
	o, err := a.find(asked.Socket)
	if err != nil {
		return nil, err
	}
	switch asked.Action {
	case "close":
		delete(a.sockets, asked.Socket)
		return answer{}, o.transport.Close()
	case "case":
		return answer{}, nil
	case "rekey":
		return answer{}, o.socket.Rekey(asked.Generation)
	case "resume":
		return answer{}, o.socket.SetOption("QZMQ_RESUME", asked.Ticket)
	case "export":
		return o.export(asked)
	}
	return nil, unsupported("action " + asked.Action)
}

func (o *opened) export(asked request) (answer, error) {
	context, err := hex.DecodeString(asked.Context)
	if err != nil {
		return nil, err
	}
	peers := o.socket.Peers()
	if len(peers) != 1 {
		return nil, fmt.Errorf("the socket has %d sessions", len(peers))
	}
	octets, err := peers[0].Export(asked.Label, context, asked.Length)
	return answer{"octets": hex.EncodeToString(octets)}, err
}

func (a *adapter) shutdown() error {
	var failures []error
	for _, number := range a.numbers() {
		failures = append(failures, a.sockets[number].transport.Close())
	}
	return errors.Join(failures...)
}
