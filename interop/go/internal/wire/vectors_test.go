package wire_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"qzmq.test/go/internal/binding"
	"qzmq.test/go/internal/vectors"
	"qzmq.test/go/internal/wire"
)

type structureGroup struct {
	Structure  string `json:"structure"`
	HashLength int    `json:"hash_length"`
}

type structureTest struct {
	vectors.Test
	Encoded vectors.Octets
	Value   json.RawMessage
}

type boundGroup struct {
	Binding    string
	ReceivedBy string `json:"received_by"`
	Limit      int
}

type boundTest struct {
	vectors.Test
	Octets  vectors.Octets
	Message vectors.Octets
}

// TestVectors plays wire.json: structures, and what the bindings make of greetings and frames.
func TestVectors(t *testing.T) {
	file := vectors.Load(t, "wire")
	vectors.Each(t, file, "Structure", playStructure)
	vectors.Each(t, file, "Greeting", playGreeting)
	vectors.Each(t, file, "Frame", playFrame)
	file.Done(t)
}

func playStructure(group structureGroup, test structureTest) error {
	value := structures[group.Structure]()
	if err := wire.ParseHashed(test.Encoded, group.HashLength, value); err != nil {
		return err
	}
	built, err := wire.Append([]byte{1, 2, 3}, value)
	if err != nil {
		return err
	}
	if !bytes.Equal(built[3:], test.Encoded) {
		return fmt.Errorf("builds to %x", built[3:])
	}
	return compare(test.Value, value)
}

// compare holds a parsed structure against the vector's value.
func compare(wanted json.RawMessage, value wire.Structure) error {
	got, err := json.Marshal(plain(reflect.ValueOf(value).Elem()))
	if err != nil {
		return err
	}
	var a, b any
	if err := decodeNumbers(wanted, &a); err != nil {
		return err
	}
	if err := decodeNumbers(got, &b); err != nil {
		return err
	}
	if !reflect.DeepEqual(a, b) {
		return fmt.Errorf("value is %s, not %s", got, wanted)
	}
	return nil
}

func decodeNumbers(text []byte, into *any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return decoder.Decode(into)
}

// plain turns a structure into what the vectors write: names of the specification, integers, hexadecimal, lists.
func plain(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Struct:
		fields := map[string]any{}
		for i := range v.NumField() {
			if v.Type().Field(i).Anonymous {
				return plain(v.Field(i))
			}
			fields[snake(v.Type().Field(i).Name)] = plain(v.Field(i))
		}
		return fields
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[[]byte]() {
			return hex.EncodeToString(v.Bytes())
		}
		list := []any{}
		for i := range v.Len() {
			list = append(list, plain(v.Index(i)))
		}
		return list
	}
	return v.Uint()
}

func snake(name string) string {
	if name == "StreamID" {
		return "stream_id"
	}
	var out []byte
	for i, r := range []byte(name) {
		if r >= 'A' && r <= 'Z' {
			if i > 0 {
				out = append(out, '_')
			}
			r += 'a' - 'A'
		}
		out = append(out, r)
	}
	return string(out)
}

// playGreeting lets the greeting arrive octet by octet: the first wrong one ends it.
func playGreeting(group boundGroup, test boundTest) error {
	b := newBinding(group.Binding, group.ReceivedBy == "server")
	for n := range len(test.Octets) {
		if whole, err := b.ReceiveGreeting(test.Octets[:n]); err != nil {
			return err
		} else if whole != 0 {
			return fmt.Errorf("whole after %d octets", whole)
		}
	}
	whole, err := b.ReceiveGreeting(test.Octets)
	if err == nil && whole != len(test.Octets) {
		return fmt.Errorf("%d octets consumed", whole)
	}
	return err
}

func playFrame(group boundGroup, test boundTest) error {
	b := newBinding(group.Binding, false)
	for n := range len(test.Octets) {
		if _, end, err := b.Message(test.Octets[:n], group.Limit); err != nil {
			return err
		} else if end != 0 {
			return fmt.Errorf("a message after %d octets", n)
		}
	}
	start, end, err := b.Message(test.Octets, group.Limit)
	if err != nil {
		return err
	}
	if !bytes.Equal(test.Octets[start:end], test.Message) || end != len(test.Octets) {
		return fmt.Errorf("message is octets[%d:%d]", start, end)
	}
	return nil
}

func newBinding(name string, server bool) binding.Binding {
	if name == "raw" {
		return binding.NewRaw(server)
	}
	return binding.NewZMTP(server)
}

var structures = map[string]func() wire.Structure{
	"AlertBody":         func() wire.Structure { return new(wire.AlertBody) },
	"Certificate":       func() wire.Structure { return new(wire.Certificate) },
	"CertificateChain":  func() wire.Structure { return new(wire.CertificateChain) },
	"CertificateEntry":  func() wire.Structure { return new(wire.CertificateEntry) },
	"CipherSuite":       func() wire.Structure { return new(wire.CipherSuite) },
	"ClientAuth":        func() wire.Structure { return new(wire.ClientAuth) },
	"ClientAuthRequest": func() wire.Structure { return new(wire.ClientAuthRequest) },
	"ClientHello":       func() wire.Structure { return new(wire.ClientHello) },
	"ClientKey":         func() wire.Structure { return new(wire.ClientKey) },
	"EarlyDataAnswer":   func() wire.Structure { return new(wire.EarlyDataAnswer) },
	"Empty":             func() wire.Structure { return new(wire.Empty) },
	"Extension":         func() wire.Structure { return new(wire.Extension) },
	"Finished":          func() wire.Structure { return new(wire.Finished) },
	"Greeting":          func() wire.Structure { return new(wire.Greeting) },
	"HelloRetry":        func() wire.Structure { return new(wire.HelloRetry) },
	"HkdfLabel":         func() wire.Structure { return new(wire.HkdfLabel) },
	"KeyUpdate":         func() wire.Structure { return new(wire.KeyUpdate) },
	"KeyUpdateAck":      func() wire.Structure { return new(wire.KeyUpdateAck) },
	"Metadata":          func() wire.Structure { return new(wire.Metadata) },
	"NewTicket":         func() wire.Structure { return new(wire.NewTicket) },
	"PreSharedKey":      func() wire.Structure { return new(wire.PreSharedKey) },
	"Property":          func() wire.Structure { return new(wire.Property) },
	"PuzzleSolution":    func() wire.Structure { return new(wire.PuzzleSolution) },
	"RawFrame":          func() wire.Structure { return new(wire.RawFrame) },
	"RecordHeader":      func() wire.Structure { return new(wire.RecordHeader) },
	"ServerHello":       func() wire.Structure { return new(wire.ServerHello) },
}

// FuzzParse never panics, and what parses builds to the same octets.
func FuzzParse(f *testing.F) {
	f.Add([]byte{1, 2, 0, 0})
	f.Fuzz(func(t *testing.T, octets []byte) {
		for known, create := range structures {
			value := create()
			if wire.ParseHashed(octets, 32, value) != nil {
				continue
			}
			if built, err := wire.Append(nil, value); err != nil || !bytes.Equal(built, octets) {
				t.Errorf("%s %x builds to %x: %v", known, octets, built, err)
			}
		}
	})
}
