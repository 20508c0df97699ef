package handshake

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"qzmq.test/go/internal/alert"
	"qzmq.test/go/internal/keyschedule"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/record"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/wire"
)

// Transport is what a machine knows of its connection.
type Transport struct {
	Prologue     []byte                              // both greetings (spec/bindings.md)
	Raw          bool                                // the raw binding: no metadata (PAT-8)
	PeerAddress  string                              // the peer's network address without a port
	AppendHeader func(dst []byte, length int) []byte // what the binding puts before a message
}

// Machine is one side of a session from its first message to its last: it interprets the table.
type Machine struct {
	config    *Config
	limits    registry.Limits
	transport Transport
	session   *SessionID

	newKEM func(registry.KemId) (primitive.KEM, error) // primitive.NewKEM, but for vectors

	state  State
	in     incoming
	out    []byte // framed messages to be written
	events []Event

	description alert.Description // of the alert that is prepared

	transcript
	secrets
	hello   helloState
	peer    peerState
	ticket  ticketState
	early   earlyState
	retry   retryState
	verdict Verdict // of ZAP
	rotation
}

// transcript holds the messages that enter it, from their type octet on.
type transcript struct {
	clientHello   []byte
	serverHello   []byte
	kemCiphertext []byte // with its length octets
	clientKey     []byte
}

// secrets is what protects the session: nil or zero until it exists.
type secrets struct {
	suite      registry.Suite
	hash       primitive.Hash
	kem        primitive.KEM
	kemKey     primitive.KEMPrivateKey // the server's, or that of a client's open offer
	earlyStage keyschedule.Early
	handshake  keyschedule.Handshake
	generation keyschedule.Generation
	exporter   keyschedule.Secret
	reader     *record.Reader
	writer     *record.Writer
}

// NewMachine makes the machine of a session whose greetings have been exchanged. The configuration has been checked.
func NewMachine(config *Config, transport Transport) *Machine {
	return &Machine{
		config:    config,
		limits:    config.Policy.Limits.Effective(),
		transport: transport,
		session:   new(SessionID),
		newKEM:    primitive.NewKEM,
	}
}

// State is where the session stands.
func (m *Machine) State() State { return m.state }

// Limit is how many octets a message of the peer may have now (HS-1, REC-3).
func (m *Machine) Limit() int {
	if m.state == Open || m.state == Closing {
		return record.MaxSize
	}
	return m.limits.HandshakeOctets
}

// TakeOutput gives the framed messages that are to be written, nil if there are none.
func (m *Machine) TakeOutput() []byte {
	out := m.out
	m.out = nil
	return out
}

// TakeEvents gives what has happened since the last call.
func (m *Machine) TakeEvents() []Event {
	events := m.events
	m.events = nil
	return events
}

func (m *Machine) emit(event Event) { m.events = append(m.events, event) }

// Receive takes one message of the peer, from its type octet on. A wrong one ends the session; one that comes after the
// end is ignored.
func (m *Machine) Receive(message []byte) {
	if m.state == Over {
		return
	}
	if err := m.receive(message); err != nil {
		m.Fail(err)
	}
}

// receive follows the order of checks of spec/handshake.md: type, protection, table, structure, rules.
func (m *Machine) receive(message []byte) error {
	t := registry.MessageType(message[0])
	if !t.Plain() && !t.Sealed() {
		return alert.New(alert.UnexpectedMessage, "REG-1", "type %s", t)
	}
	in := incoming{input: Input(t), epoch: plain}
	body := message[1:]
	if t.Plain() {
		in.message = bytes.Clone(message)
		body = in.message[1:]
	} else {
		var err error
		if body, in.epoch, err = m.unseal(message); err != nil {
			return err
		}
	}
	candidates := rows(m.config.Role, m.state, in.input, in.epoch)
	if len(candidates) == 0 {
		return alert.New(alert.UnexpectedMessage, "HS-18", "%s in state %s", in, m.state)
	}
	var err error
	if in.value, err = m.parse(t, body); err != nil {
		return err
	}
	m.in = in
	defer func() { m.in = incoming{} }()
	return m.follow(candidates)
}

// unseal opens a record, or counts one of early data that is not to be opened (RES-17).
func (m *Machine) unseal(message []byte) ([]byte, Epoch, error) {
	if m.early.expects(message) {
		body, err := m.unsealEarly(message)
		return body, early, err
	}
	if m.reader == nil {
		return nil, none, alert.New(alert.UnexpectedMessage, "REC-1", "a record before there is a key")
	}
	body, header, err := m.reader.Open(nil, message)
	if err != nil {
		return nil, none, err
	}
	if header.Generation() == 0 {
		return body, gen0, nil
	}
	return body, gen1, nil
}

// parse reads the structure of a message (REG-2); that of data is its octets.
func (m *Machine) parse(t registry.MessageType, body []byte) (any, error) {
	var s wire.Structure
	switch t {
	case registry.TypeData:
		return body, nil
	case registry.TypeClientHello:
		s = new(wire.ClientHello)
	case registry.TypeServerHello:
		s = new(wire.ServerHello)
	case registry.TypeClientKey:
		s = new(wire.ClientKey)
	case registry.TypeHelloRetry:
		s = new(wire.HelloRetry)
	case registry.TypeFinished:
		s = new(wire.Finished)
	case registry.TypeAlert, registry.TypeSealedAlert:
		s = new(wire.AlertBody)
	case registry.TypeKeyUpdate:
		s = new(wire.KeyUpdate)
	case registry.TypeKeyUpdateAck:
		s = new(wire.KeyUpdateAck)
	case registry.TypeNewTicket:
		s = new(wire.NewTicket)
	}
	return s, wire.ParseHashed(body, m.hashLength(), s)
}

func (m *Machine) hashLength() int {
	length, _ := m.suite.Hash.Size()
	return length
}

// Local takes a local event. One that has no row in the present state does nothing.
func (m *Machine) Local(event Input) {
	candidates := rows(m.config.Role, m.state, event, none)
	if len(candidates) == 0 {
		return
	}
	m.in = incoming{input: event}
	if err := m.follow(candidates); err != nil && !errors.Is(err, errNoRow) {
		m.Fail(err)
	}
}

var errNoRow = errors.New("handshake: no row of the table fits")

// follow takes the row whose guard holds, or else the one without a guard: its actions, its sends, its next state.
func (m *Machine) follow(candidates []row) error {
	chosen := choose(m, candidates)
	if chosen == nil {
		if m.in.epoch == none {
			return errNoRow
		}
		return alert.New(alert.UnexpectedMessage, "HS-18", "%s in state %s", m.in, m.state)
	}
	for _, act := range chosen.Action {
		if err := act(m); err != nil {
			return err
		}
	}
	for _, send := range chosen.Sends {
		if err := send(m); err != nil {
			return err
		}
	}
	if m.state != Over {
		return m.enter(chosen.Next)
	}
	return nil
}

func choose(m *Machine, candidates []row) *row {
	var unguarded *row
	for i := range candidates {
		switch r := &candidates[i]; {
		case r.Guard == nil:
			unguarded = r
		case r.Guard(m):
			return r
		}
	}
	return unguarded
}

// enter makes next the state. Entering established it begins generation 1 of the peer's direction, forgets what only
// the handshake needed (KS-5) and reports the peer.
func (m *Machine) enter(next State) error {
	before := m.state
	m.state = next
	switch {
	case next == Over:
		m.erase()
	case next == Open && before != Open:
		return m.establish()
	}
	return nil
}

func (m *Machine) establish() error {
	traffic := m.generation.Client
	if m.config.Role == Client {
		traffic = m.generation.Server
	}
	if m.reader == nil {
		m.reader = record.NewReader(m.cipher())
	}
	if err := m.reader.Begin(1, traffic); err != nil {
		return err
	}
	m.handshake.Erase()
	m.exporter = m.generation.Exporter
	m.transcript = transcript{}
	m.kemKey, m.ticket.offered, m.ticket.taken = nil, nil, nil
	m.rotation.began = m.config.Now()
	m.emit(Established{m.describePeer()})
	return nil
}

// deliver hands application octets to the owner (REC-12).
func deliver(m *Machine) error {
	if octets := m.in.value.([]byte); len(octets) > 0 {
		m.emit(Received{Octets: octets})
	}
	return nil
}

// Fail ends the session for a fault: one alert is sent, unless close_notify was the last word (ALR-3, CLS-1).
func (m *Machine) Fail(err error) {
	if m.state == Over {
		return
	}
	if errors.Is(err, record.ErrExhausted) {
		m.closeExhausted()
		return
	}
	reason := alert.From(err)
	if m.state != Closing {
		m.description = reason.Description
		_ = m.sendPrepared()
	}
	m.end(Ended{Reason: Alerted, Alert: reason})
}

// end is the session's last event.
func (m *Machine) end(ended Ended) {
	m.emit(ended)
	m.state = Over
	m.erase()
}

// erase forgets every secret (SEC-6).
func (m *Machine) erase() {
	if m.reader != nil {
		m.reader.Erase()
	}
	if m.writer != nil {
		m.writer.Erase()
	}
	m.earlyStage.Erase()
	m.handshake.Erase()
	m.generation.Erase()
	clear(m.exporter)
	clear(m.rotation.secret)
	m.secrets = secrets{}
	m.early = earlyState{}
}

// Export gives n octets of keying material (KS-6).
func (m *Machine) Export(label string, context []byte, n int) ([]byte, error) {
	if m.state != Open && m.state != Closing {
		return nil, fmt.Errorf("handshake: no keying material in state %s (KS-6)", m.state)
	}
	return keyschedule.Export(m.hash, m.exporter, label, context, n)
}

func (m *Machine) cipher() record.Cipher { return record.Cipher{Aead: m.suite.Aead, Hash: m.hash} }

func (m *Machine) now() time.Time { return m.config.Now() }
