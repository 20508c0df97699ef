package vectors

import (
	"bytes"
	"encoding/json"
	"fmt"

	"qzmq.test/go/internal/binding"
	"qzmq.test/go/internal/wire"
)

type structure struct {
	Structure  string
	HashLength int `json:"hash_length"`
	Encoded    Octets
	Value      json.RawMessage
}

func (s structure) empty() (wire.Structure, error) {
	value, known := wire.New(s.Structure)
	if !known {
		return nil, fmt.Errorf("vectors: there is no structure %s", s.Structure)
	}
	return value, nil
}

func parse(given structure) (Output, error) {
	value, err := given.empty()
	if err != nil {
		return nil, err
	}
	if err := wire.ParseHashed(given.Encoded, given.HashLength, value); err != nil {
		return nil, err
	}
	return Output{"value": show(value)}, nil
}

func build(given structure) (Output, error) {
	value, err := given.empty()
	if err != nil {
		return nil, err
	}
	if err := fill(value, given.Value); err != nil {
		return nil, err
	}
	built, err := wire.Append(nil, value)
	return Output{"encoded": Octets(built)}, err
}

type bound struct {
	Binding    string
	ReceivedBy string `json:"received_by"`
	Limit      int
	Octets     Octets
}

func (b bound) binding() binding.Binding {
	server := b.ReceivedBy == "server"
	if b.Binding == "raw" {
		return binding.NewRaw(server)
	}
	return binding.NewZMTP(server)
}

// greeting lets the greeting arrive octet by octet: the first wrong one ends it.
func greeting(given bound) (Output, error) {
	b := given.binding()
	for n := range len(given.Octets) {
		if whole, err := b.ReceiveGreeting(given.Octets[:n]); err != nil {
			return nil, err
		} else if whole != 0 {
			return nil, fmt.Errorf("vectors: a greeting is whole after %d octets", whole)
		}
	}
	whole, err := b.ReceiveGreeting(given.Octets)
	if err == nil && whole != len(given.Octets) {
		err = fmt.Errorf("vectors: %d octets of a greeting were consumed", whole)
	}
	return Output{}, err
}

// frame lets the frame of a message arrive octet by octet.
func frame(given bound) (Output, error) {
	b := given.binding()
	for n := range len(given.Octets) {
		if _, end, err := b.Message(given.Octets[:n], given.Limit); err != nil {
			return nil, err
		} else if end != 0 {
			return nil, fmt.Errorf("vectors: there is a message after %d octets", n)
		}
	}
	start, end, err := b.Message(given.Octets, given.Limit)
	if err == nil && end != len(given.Octets) {
		err = fmt.Errorf("vectors: the message ends at %d", end)
	}
	return Output{"message": Octets(bytes.Clone(given.Octets[start:end]))}, err
}
