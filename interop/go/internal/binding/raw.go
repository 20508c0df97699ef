package binding

import (
	"encoding/binary"

	"qzmq.test/go/internal/alert"
)

const (
	rawClient = "QZMQ/1C\n"
	rawServer = "QZMQ/1S\n"
	rawRoleAt = 6
)

type raw struct {
	greetings
	expected string
}

// NewRaw is the raw binding of a connection, for STREAM and any other stream of octets.
func NewRaw(server bool) Binding {
	if server {
		return &raw{greetings{own: []byte(rawServer), server: true}, rawClient}
	}
	return &raw{greetings{own: []byte(rawClient)}, rawServer}
}

func (r *raw) Name() string { return "raw" }

func (r *raw) ReceiveGreeting(octets []byte) (int, error) { return r.receive(octets, r.check) }

// check judges one octet of the peer's greeting (RAW-2, RAW-3).
func (r *raw) check(at int, octets []byte) error {
	switch {
	case octets[at] == r.expected[at]:
		return nil
	case at == rawRoleAt:
		return alert.New(alert.IllegalParameter, "RAW-3", "the peer's role is %#02x", octets[at])
	}
	return alert.New(alert.DecodeError, "RAW-2", "octet %d of the greeting is %#02x", at, octets[at])
}

func (r *raw) AppendHeader(dst []byte, length int) []byte {
	return binary.BigEndian.AppendUint32(dst, uint32(length))
}

func (r *raw) Message(octets []byte, limit int) (start, end int, err error) {
	if len(octets) < 4 {
		return 0, 0, nil
	}
	length := binary.BigEndian.Uint32(octets)
	if length == 0 {
		return 0, 0, alert.New(alert.UnexpectedMessage, "RAW-5", "a message of no octets")
	}
	if uint64(length) > uint64(limit) {
		return 0, 0, alert.New(alert.RecordOverflow, "RAW-6", "a message of %d octets, the limit is %d", length, limit)
	}
	end = 4 + int(length)
	if len(octets) < end {
		return 0, 0, nil
	}
	return 4, end, nil
}
