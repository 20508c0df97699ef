// Package local speaks plain ZMTP 3.1 with mechanism NULL (RFC 37) on the hop between QZMQ and the application's own
// ZeroMQ socket. This hop never leaves the process: what it carries is the application octets of spec/bindings.md.
package local

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// GreetingSize is the length of a ZMTP greeting in octets.
const GreetingSize = 64

// The flags of a ZMTP frame.
const (
	flagMore    = 0x01
	flagLong    = 0x02
	flagCommand = 0x04
)

// maxCommand bounds a command of the application's own socket in octets; READY is by far the longest.
const maxCommand = 1 << 16

// The statuses of an ERROR command: RFC 27's numbers, which libzmq takes for final.
const (
	StatusRefused = "400"
	StatusFailed  = "500"
)

var (
	errGreeting = errors.New("the application's socket does not speak ZMTP 3.1 with mechanism NULL")
	errFrame    = errors.New("the application's socket sent a malformed frame")
)

// Property is one name and value of READY.
type Property struct {
	Name  string
	Value []byte
}

// Greeting returns the 64 octets that open the hop: ZMTP 3.1, NULL.
func Greeting() []byte {
	octets := make([]byte, GreetingSize)
	octets[0], octets[9], octets[10], octets[11] = 0xFF, 0x7F, 3, 1
	copy(octets[12:], "NULL")
	return octets
}

// CheckGreeting judges the greeting of the application's socket. The minor version is not looked at: go-zeromq
// announces 3.0, and a Filter makes up for what it lacks.
func CheckGreeting(octets []byte) error {
	if len(octets) != GreetingSize || octets[0] != 0xFF || octets[9] != 0x7F || octets[10] < 3 {
		return errGreeting
	}
	if !bytes.Equal(octets[12:32], append([]byte("NULL"), make([]byte, 16)...)) {
		return errGreeting
	}
	return nil
}

// Command appends a command frame to dst.
func Command(dst []byte, name string, body []byte) []byte {
	size := 1 + len(name) + len(body)
	dst = appendHeader(dst, flagCommand, size)
	dst = append(dst, byte(len(name)))
	dst = append(dst, name...)
	return append(dst, body...)
}

func appendHeader(dst []byte, flags byte, size int) []byte {
	if size > 255 {
		return binary.BigEndian.AppendUint64(append(dst, flags|flagLong), uint64(size))
	}
	return append(dst, flags, byte(size))
}

// Ready returns the READY command with these properties.
func Ready(properties []Property) []byte {
	return Command(nil, "READY", Metadata(properties))
}

// Metadata is how READY, and an answer of ZAP, write properties (RFC 37, RFC 27).
func Metadata(properties []Property) []byte {
	var octets []byte
	for _, property := range properties {
		octets = append(octets, byte(len(property.Name)))
		octets = append(octets, property.Name...)
		octets = binary.BigEndian.AppendUint32(octets, uint32(len(property.Value)))
		octets = append(octets, property.Value...)
	}
	return octets
}

// Error returns the ERROR command that makes a libzmq socket stop reconnecting (ALR-6).
func Error(status string) []byte {
	return Command(nil, "ERROR", append([]byte{byte(len(status))}, status...))
}

// Begin opens the hop on conn: greetings both ways, then the properties of the socket's READY. It reads not one octet
// more. The hop's own READY is still to be sent.
func Begin(conn io.ReadWriter) ([]Property, error) {
	if _, err := conn.Write(Greeting()); err != nil {
		return nil, fmt.Errorf("local hop: %w", err)
	}
	greeting := make([]byte, GreetingSize)
	if _, err := io.ReadFull(conn, greeting); err != nil {
		return nil, fmt.Errorf("local hop: %w", err)
	}
	if err := CheckGreeting(greeting); err != nil {
		return nil, err
	}
	body, err := readCommand(conn)
	if err != nil {
		return nil, err
	}
	return ParseReady(body)
}

func readCommand(r io.Reader) ([]byte, error) {
	header := make([]byte, 2, 9)
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, fmt.Errorf("local hop: %w", err)
	}
	size := uint64(header[1])
	if header[0]&flagLong != 0 {
		header = header[:9]
		if _, err := io.ReadFull(r, header[2:]); err != nil {
			return nil, fmt.Errorf("local hop: %w", err)
		}
		size = binary.BigEndian.Uint64(header[1:])
	}
	if header[0]&flagCommand == 0 || size > maxCommand {
		return nil, errFrame
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, fmt.Errorf("local hop: %w", err)
	}
	return body, nil
}

// ParseReady returns the properties of a READY command, given its octets without the frame header.
func ParseReady(command []byte) ([]Property, error) {
	rest, found := bytes.CutPrefix(command, []byte("\x05READY"))
	if !found {
		return nil, errFrame
	}
	var properties []Property
	for len(rest) > 0 {
		end := 1 + int(rest[0])
		if len(rest) < end+4 {
			return nil, errFrame
		}
		name := string(rest[1:end])
		size := int64(binary.BigEndian.Uint32(rest[end:]))
		rest = rest[end+4:]
		if int64(len(rest)) < size {
			return nil, errFrame
		}
		properties = append(properties, Property{name, bytes.Clone(rest[:size])})
		rest = rest[size:]
	}
	return properties, nil
}

// FrameEnd is the length of the command frame at the front of octets, 0 if it is not whole.
func FrameEnd(octets []byte) (int, error) {
	header, size := frameHeader(octets)
	if header == 0 {
		return 0, nil
	}
	if octets[0]&flagCommand == 0 || size > maxCommand {
		return 0, errFrame
	}
	if len(octets) < header+int(size) {
		return 0, nil
	}
	return header + int(size), nil
}
