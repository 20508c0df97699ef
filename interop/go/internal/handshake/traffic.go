package handshake

import (
	"qzmq.test/go/internal/record"
	"qzmq.test/go/internal/registry"
)

// The hot path: data records of an established session, without an allocation.

// OpenData opens a data record behind dst: the row HS-40 alone. The reading half must not be in use elsewhere.
func (m *Machine) OpenData(dst, message []byte) ([]byte, error) {
	out, _, err := m.reader.Open(dst, message)
	return out, err
}

// IsData tells whether a message is one for OpenData now.
func (m *Machine) IsData(message []byte) bool {
	return m.state == Open && registry.MessageType(message[0]) == registry.TypeData
}

// SealData appends framed records that carry the octets to dst. The writing half must not be in use elsewhere. On
// record.ErrExhausted dst has the records before, and the session must be closed (ROT-6).
func (m *Machine) SealData(dst, octets []byte) ([]byte, error) {
	now := m.now()
	for len(octets) > 0 {
		n := min(len(octets), m.writer.Cut())
		framed := m.transport.AppendHeader(dst, m.writer.PlaintextSize(n)+record.Overhead)
		out, err := m.writer.AppendData(framed, octets[:n], now)
		if err != nil {
			return dst, err
		}
		dst, octets = out, octets[n:]
	}
	return dst, nil
}

// SealedSize is how many octets at most SealData makes of n, with frames of frame octets.
func (m *Machine) SealedSize(n, frame int) int {
	cut := m.writer.Cut()
	whole, left := n/cut, n%cut
	return whole*(frame+m.writer.Size(cut)) + min(left, 1)*(frame+m.writer.Size(left))
}

// StepsAreMany tells whether the sending direction's step alone calls for a new generation (ROT-15), or its age.
func (m *Machine) StepsAreMany() bool {
	return m.writer.StepNumber() >= dueStep || !m.now().Before(m.RekeyTime())
}

// Step goes over to the next sending key, and announces it by an empty record (ROT-2).
func (m *Machine) Step() error {
	if err := m.writer.Step(); err != nil {
		return err
	}
	return sendEmptyData(m)
}

// Steps is how many steps the two directions have taken, over all generations; none before there are records.
func (m *Machine) Steps() (sent, received uint64) {
	if m.writer != nil {
		sent = m.writer.Steps()
	}
	if m.reader != nil {
		received = m.reader.Steps()
	}
	return sent, received
}
