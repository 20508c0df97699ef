package qzmq

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"qzmq.test/go/internal/certificate"
	"qzmq.test/go/internal/link"
	"qzmq.test/go/internal/network"
	"qzmq.test/go/internal/session"
)

// Socket is a ZeroMQ socket whose connections are QZMQ's. Its methods may be called from many goroutines; what of two
// calls at once comes first is then open.
type Socket interface {
	// Bind binds the socket at tcp://HOST:PORT or ipc://PATH; * stands for any address, or port. inproc:// stays as it is.
	Bind(endpoint string) error
	// Connect connects the socket, and connects it again after each loss, until the peer refuses it for good.
	Connect(endpoint string) error
	// LastEndpoint is the endpoint that was bound last, with its port.
	LastEndpoint() string

	// Send sends a message of one part. It waits for room as the option SNDTIMEO says; see TrySend.
	Send(data []byte) error
	// SendMultipart sends a message.
	SendMultipart(parts [][]byte) error
	// TrySend sends a message if the socket takes it within that time; it fails with os.ErrDeadlineExceeded else.
	TrySend(parts [][]byte, limit time.Duration) error
	// Recv receives a message, and returns its first part. It waits as the option RCVTIMEO says.
	Recv() ([]byte, error)
	// RecvMultipart receives a message.
	RecvMultipart() ([][]byte, error)
	// RecvMessage receives a message that comes within that time, with what is known of its sender.
	RecvMessage(limit time.Duration) (Message, error)

	// Subscribe asks for messages that begin with filter (SUB).
	Subscribe(filter string) error
	// Unsubscribe takes a Subscribe back.
	Unsubscribe(filter string) error

	// SetOption sets an option: one of libzmq's by its name without ZMQ_, times in milliseconds, or QZMQ_SERVER (bool),
	// QZMQ_SECRETKEY, QZMQ_SERVERKEY (string), QZMQ_CLIENTKEYS ([]string), QZMQ_CERTIFICATE, QZMQ_CA (PEM in a []byte),
	// QZMQ_SERVERNAME (string), or QZMQ_SECURITY (Security). What is secured how holds for later binds and connects.
	// QZMQ_CURVE_SECRETKEY (string) and QZMQ_CURVE_CLIENTS ([]string) let a port serve CURVE clients too; the latter holds
	// at once.
	// QZMQ_RESUME (bool) says whether a client offers tickets, from its next connection on; it does if it has any.
	// QZMQ_PROPERTIES (bool), before Bind and Connect and with the backend go alone: see Message.
	SetOption(name string, value any) error
	// GetOption gives what SetOption was given, secrets apart, and LAST_ENDPOINT and TYPE.
	GetOption(name string) (any, error)

	// Peers are the peers whose connections are established.
	Peers() []Peer
	// Rekey has every connection begin a fresh key exchange or, without generation, step its sending key.
	Rekey(generation bool) error
	// GetMetrics counts what happened.
	GetMetrics() *SocketMetrics
	// Close closes the socket, and waits for what was sent as the option LINGER says.
	Close() error
}

// Message is a message with what is known of its sender: User-Id and X-QZMQ-* (table added-properties), Socket-Type and
// Identity. With the backend go there are properties if the option QZMQ_PROPERTIES (bool) was set before the socket bound or
// connected, at the price of a copy; Peers has them anyway.
type Message struct {
	Parts      [][]byte
	Properties map[string]string
}

// Peer is the other side of an established connection.
type Peer struct {
	PublicKey  string // the pin of its key, empty for an anonymous client
	Suite      Suite
	Resumed    bool
	Properties map[string]string // what Message.Properties says of it

	link *link.Link
}

// Export gives n octets of keying material that only this side and this peer have (KS-6).
func (p Peer) Export(label string, context []byte, n int) ([]byte, error) {
	return p.link.Export(label, context, n)
}

// addedProperties are those of every peer; others are known when a peer has had them.
var addedProperties = []string{
	"User-Id", "X-QZMQ-Peer", "X-QZMQ-Peer-Address", "X-QZMQ-Mechanism", "X-QZMQ-Suite", "Socket-Type",
}

type socket struct {
	transport *transport
	options   Options
	kind      SocketType
	engine    engine
	traffic   traffic

	mu       sync.Mutex
	security Security
	set      map[string]any // what SetOption was given
	last     string
	peers    map[*link.Link]Peer
	names    []string // of the properties that peers have had
	counted  Stats    // events, and what links that are over have counted
	closed   bool
}

func newSocket(t *transport, kind SocketType, e engine) *socket {
	return &socket{
		transport: t, options: t.options, kind: kind, engine: e, security: t.options.Security,
		set: make(map[string]any), peers: make(map[*link.Link]Peer), names: slices.Clone(addedProperties),
	}
}

func (s *socket) Bind(endpoint string) error {
	return s.attach(endpoint, true, func(at network.Endpoint, config *session.Config) (string, error) {
		options := s.links(config)
		var err error
		if options.Curve, err = s.curve(config); err != nil {
			return "", err
		}
		bound, err := s.engine.Bind(at, options)
		return bound.String(), err
	})
}

func (s *socket) Connect(endpoint string) error {
	return s.attach(endpoint, false, func(to network.Endpoint, config *session.Config) (string, error) {
		return "", s.engine.Connect(to, s.links(config))
	})
}

// attach binds or connects: by how, or without security where nothing goes over a wire or it was asked for by name.
func (s *socket) attach(endpoint string, bind bool, how func(network.Endpoint, *session.Config) (string, error)) error {
	security := s.currentSecurity()
	last, err := "", error(nil)
	if strings.HasPrefix(endpoint, "inproc://") || security.Plaintext {
		if err = security.checkPlaintext(); err == nil || !security.Plaintext {
			last, err = s.engine.Plain(bind, endpoint)
		}
	} else if at, fault := network.Parse(endpoint); fault != nil {
		err = fault
	} else if config, fault := s.config(security, bind); fault != nil {
		err = fault
	} else {
		last, err = how(at, config)
	}
	if err != nil {
		return fmt.Errorf("%v socket, %s: %w", s.kind, endpoint, err)
	}
	if bind {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.last = last
	}
	return nil
}

func (s *socket) LastEndpoint() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

func (s *socket) Send(data []byte) error { return s.SendMultipart([][]byte{data}) }

func (s *socket) SendMultipart(parts [][]byte) error { return s.TrySend(parts, s.limit("SNDTIMEO")) }

func (s *socket) TrySend(parts [][]byte, limit time.Duration) error {
	if len(parts) == 0 {
		return errors.New("qzmq: a message has at least one part")
	}
	if err := s.engine.Send(parts, limit); err != nil {
		return err
	}
	s.traffic.send(parts)
	return nil
}

func (s *socket) Recv() ([]byte, error) {
	parts, err := s.RecvMultipart()
	if err != nil {
		return nil, err
	}
	return parts[0], nil
}

func (s *socket) RecvMultipart() ([][]byte, error) {
	message, err := s.receive(s.limit("RCVTIMEO"))
	return message.Parts, err
}

func (s *socket) RecvMessage(limit time.Duration) (Message, error) {
	s.mu.Lock()
	names := s.names
	s.mu.Unlock()
	return s.receive(limit, names...)
}

func (s *socket) receive(limit time.Duration, properties ...string) (message Message, err error) {
	message.Parts, message.Properties, err = s.engine.Receive(limit, properties...)
	if err != nil {
		return Message{}, err
	}
	s.traffic.receive(message.Parts)
	return message, nil
}

func (s *socket) Subscribe(filter string) error { return s.engine.SetOption("SUBSCRIBE", filter) }

func (s *socket) Unsubscribe(filter string) error { return s.engine.SetOption("UNSUBSCRIBE", filter) }

func (s *socket) Peers() []Peer {
	s.mu.Lock()
	defer s.mu.Unlock()
	peers := make([]Peer, 0, len(s.peers))
	for _, peer := range s.peers {
		peers = append(peers, peer)
	}
	return peers
}

func (s *socket) Rekey(generation bool) error {
	var failures []error
	for _, peer := range s.Peers() {
		failures = append(failures, peer.link.Rekey(generation))
	}
	return errors.Join(failures...)
}

func (s *socket) GetMetrics() *SocketMetrics {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.counted.plus(s.traffic.stats())
	for l := range s.peers {
		stats = stats.plus(of(l))
	}
	return &stats
}

func (s *socket) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	err := s.engine.Close()
	s.transport.forget(s)
	return err
}

// event hears of every event of a link.
func (s *socket) event(l *link.Link, event session.Event) {
	s.mu.Lock()
	_, established := s.peers[l]
	s.counted.add(event, established)
	switch e := event.(type) {
	case session.Established:
		s.peers[l] = peerOf(l, e.Peer)
		s.learn(s.peers[l].Properties)
	case session.Ended:
		s.counted = s.counted.plus(of(l))
		delete(s.peers, l)
	}
	s.mu.Unlock()
	if e, ok := event.(session.Ended); ok && e.Reason != session.Closed {
		s.logEnd(l, e, established)
	}
	happened, ok := eventOf(l, event)
	if ok && happened.Kind == EventUndetermined {
		s.options.log().Warn("early data may have arrived or not, and is not sent again (RES-18)",
			"socket", s.kind.String(), "peer", l.RemoteAddr().String())
	}
	if ok && s.options.Observe != nil {
		s.options.Observe(s, happened)
	}
}

// learn notes the names of a peer's properties, for messages; a peer cannot make them many.
func (s *socket) learn(properties map[string]string) {
	const most = 64
	for name := range properties {
		if len(s.names) < most && !slices.Contains(s.names, name) {
			s.names = append(slices.Clip(s.names), name) // others may be reading the old ones
		}
	}
}

// logEnd writes one line for a session that ended badly (SEC-9).
func (s *socket) logEnd(l *link.Link, e session.Ended, established bool) {
	attributes := []any{
		"socket", s.kind.String(), "peer", l.RemoteAddr().String(), "reason", e.Reason.String(), "established", established,
	}
	if e.Alert != nil {
		attributes = append(attributes,
			"alert", e.Alert.Description.String(), "requirement", e.Alert.Requirement, "detail", e.Alert.Detail)
	}
	s.options.log().Warn("a connection ended badly", attributes...)
}

func peerOf(l *link.Link, p session.Peer) Peer {
	peer := Peer{Suite: p.Suite, Resumed: p.Resumed, Properties: make(map[string]string), link: l}
	if p.SPKI != nil {
		peer.PublicKey = certificate.FormatKey(p.Pin)
	}
	for _, property := range p.Metadata {
		peer.Properties[string(property.Name)] = string(property.Value)
	}
	return peer
}

// limit is an option of milliseconds, negative for no limit; it is that if it was not set.
func (s *socket) limit(option string) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if value, ok := s.set[option].(int); ok && value >= 0 {
		return time.Duration(value) * time.Millisecond
	}
	return -1
}

func (s *socket) currentSecurity() Security {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.security
}

// withholds says whether a client offers no tickets.
func (s *socket) withholds() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	resume, set := s.set["QZMQ_RESUME"].(bool)
	return set && !resume
}

func (s *socket) identity() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch value := s.set["ROUTING_ID"].(type) {
	case string:
		return value
	case []byte:
		return string(value)
	}
	return ""
}

// reconnect is the pause between attempts to reach a peer, and how long it grows.
func (s *socket) reconnect() (interval, most time.Duration) {
	interval, most = s.options.reconnect()
	if set := s.limit("RECONNECT_IVL"); set > 0 {
		interval = set
	}
	if set := s.limit("RECONNECT_IVL_MAX"); set > 0 {
		most = set
	}
	return interval, most
}
