package handshake

import (
	"encoding/binary"

	"qzmq.test/go/internal/alert"
	"qzmq.test/go/internal/keyschedule"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/record"
	"qzmq.test/go/internal/registry"
)

// earlyState is the early data of this handshake.
type earlyState struct {
	announced bool // ClientHello has early_data
	status    EarlyStatus
	writer    *record.Writer // client, until ClientKey
	reader    *record.Reader // server, until ClientKey
	most      int            // octets that may come (RES-14)
	octets    int            // that came or were sent
	count     uint32         // records
	size      int            // octets of the record at hand
}

// beginEarly makes the writer of the client's early data if its ClientHello announced any.
func (m *Machine) beginEarly() error {
	if !m.early.announced {
		return nil
	}
	ticket := m.ticket.offered
	traffic, cipher, err := m.earlyTraffic(ticket.PSK, ticket.Suite)
	if err != nil {
		return err
	}
	m.early.most = min(int(ticket.EarlyOctets), m.limits.EarlyOctets)
	m.early.writer, err = record.NewEarlyWriter(cipher, m.limits, traffic)
	return err
}

// earlyTraffic is c_early of a ticket over prologue || ClientHello.
func (m *Machine) earlyTraffic(psk []byte, suite registry.Suite) ([]byte, record.Cipher, error) {
	h, err := primitive.NewHash(suite.Hash)
	if err != nil {
		return nil, record.Cipher{}, err
	}
	stage := keyschedule.NewEarly(h, psk)
	defer stage.Erase()
	return stage.ClientTraffic(m.transport.Prologue, m.clientHello), record.Cipher{Aead: suite.Aead, Hash: h}, nil
}

// SealEarly appends framed records of early data that carry as many of the octets as RES-14 allows, and tells how many.
func (m *Machine) SealEarly(dst, octets []byte) (out []byte, sent int) {
	for m.early.writer != nil && sent < len(octets) && int(m.early.count) < m.limits.EarlyRecords {
		n := min(len(octets)-sent, m.early.writer.Cut(), m.early.most-m.early.octets)
		if n <= 0 {
			break
		}
		framed := m.transport.AppendHeader(dst, n+record.Overhead)
		sealed, err := m.early.writer.AppendData(framed, octets[sent:sent+n], m.now())
		if err != nil {
			break
		}
		dst = sealed
		sent += n
		m.early.octets += n
		m.early.count++
	}
	return dst, sent
}

// endEarly: there is no early data after ClientKey. A client tells its owner what became of its own (RES-18).
func (m *Machine) endEarly() {
	if m.config.Role == Client && m.early.announced {
		m.emit(EarlyAnswered{Status: m.early.status})
	}
	if m.early.writer != nil {
		m.early.writer.Erase()
	}
	if m.early.reader != nil {
		m.early.reader.Erase()
	}
	m.early.writer, m.early.reader, m.early.announced = nil, nil, false
}

// answerEarly settles what becomes of early data (RES-15, ZAP-10), and makes its reader if it is accepted.
func (m *Machine) answerEarly() error {
	if !m.hello.found.early {
		return nil
	}
	m.expectEarly()
	if !m.hello.resumed {
		return nil
	}
	taken := m.ticket.taken
	m.early.status, m.early.most = EarlyRejected, min(int(taken.EarlyOctets), m.limits.EarlyOctets)
	if !m.config.EarlyData || taken.EarlyOctets == 0 || m.hello.zap {
		return nil
	}
	traffic, cipher, err := m.earlyTraffic(taken.PSK, taken.Suite)
	if err != nil {
		return err
	}
	m.early.status = EarlyAccepted
	m.early.reader, err = record.NewEarlyReader(cipher, traffic)
	return err
}

// expectEarly lets records of early data come, for the time being to be discarded.
func (m *Machine) expectEarly() {
	m.early.announced, m.early.status, m.early.most = true, EarlyUnknown, m.limits.EarlyOctets
}

// expects tells whether a record is one of early data that was announced. Any other finds no key before ClientKey (REC-1).
func (e *earlyState) expects(sealed []byte) bool {
	return e.announced && len(sealed) >= record.HeaderSize &&
		registry.MessageType(sealed[0]) == registry.TypeData && binary.BigEndian.Uint32(sealed[4:]) == record.Early
}

// unsealEarly opens a record of early data. If it was not accepted, the record stays closed, and nobody looks at its
// epoch and number (RES-14, RES-16, RES-17).
func (m *Machine) unsealEarly(message []byte) ([]byte, error) {
	m.early.size = max(0, len(message)-record.Overhead)
	if int(m.early.count) >= m.limits.EarlyRecords || m.early.octets+m.early.size > m.early.most {
		return nil, alert.New(alert.UnexpectedMessage, "RES-14", "more early data than was allowed")
	}
	if m.early.status != EarlyAccepted {
		return nil, nil
	}
	body, _, err := m.early.reader.Open(nil, message)
	return body, err
}

// deliverEarly hands early octets to the application (RES-16).
func deliverEarly(m *Machine) error {
	if octets := m.in.value.([]byte); len(octets) > 0 {
		m.emit(EarlyReceived{Octets: octets})
	}
	return discardEarly(m)
}

// discardEarly counts an early record (RES-14, RES-17).
func discardEarly(m *Machine) error {
	m.early.count++
	m.early.octets += m.early.size
	return nil
}
