package handshake

import (
	"bytes"

	"qzmq.test/go/internal/keyschedule"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/record"
	"qzmq.test/go/internal/registry"
)

// What the test vectors need of a machine and no connection does: to stand in the middle of a session, and to go on with
// what another implementation has said.

// Middle is an established session at the beginning of a generation.
type Middle struct {
	Suite      registry.Suite
	Generation uint8
	Transcript []byte // TH of the generation, Hash.length octets
	Rekey      []byte // the secret of the next key exchange, Hash.length octets
	Traffic    []byte // of either direction, Hash.length octets
}

// NewEstablished makes the machine of a session that stands there.
func NewEstablished(config *Config, transport Transport, at Middle) (*Machine, error) {
	m := NewMachine(config, transport)
	m.state, m.suite = Open, at.Suite
	var err error
	if m.hash, err = primitive.NewHash(at.Suite.Hash); err != nil {
		return nil, err
	}
	if m.kem, err = primitive.NewKEM(at.Suite.Kem); err != nil {
		return nil, err
	}
	m.generation = keyschedule.Restore(m.hash, bytes.Clone(at.Transcript), bytes.Clone(at.Rekey))
	m.reader, m.writer = record.NewReader(m.cipher()), record.NewWriter(m.cipher(), registry.Limits{}, 0)
	if err := m.reader.Begin(at.Generation, bytes.Clone(at.Traffic)); err != nil {
		return nil, err
	}
	return m, m.writer.Begin(at.Generation, bytes.Clone(at.Traffic))
}

// NewResuming makes the machine of a server that has taken a ticket, and the early data that the ClientHello announces.
func NewResuming(config *Config, transport Transport, clientHello []byte, taken *Issued) (*Machine, error) {
	m := NewMachine(config, transport)
	m.state, m.clientHello = WaitClientKey, clientHello
	m.ticket.taken, m.hello.resumed, m.hello.found.early = taken, true, true
	return m, m.answerEarly()
}

// UseKEM makes the machine take its KEM from there.
func (m *Machine) UseKEM(newKEM func(registry.KemId) (primitive.KEM, error)) { m.newKEM = newKEM }

// Adopt makes a hello this side's own, whatever it has said itself; any other message it leaves alone.
func (m *Machine) Adopt(message []byte) {
	switch registry.MessageType(message[0]) {
	case registry.TypeClientHello:
		m.clientHello = message
	case registry.TypeServerHello:
		m.serverHello = message
	}
}

// Listener is the digest of the configuration to which this server's tickets are bound (RES-5).
func (m *Machine) Listener() [32]byte { return m.listener() }
