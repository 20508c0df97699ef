package pure

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-zeromq/zmq4"

	"qzmq.test/go/internal/bridge"
	"qzmq.test/go/internal/link"
	"qzmq.test/go/internal/local"
	"qzmq.test/go/internal/network"
	"qzmq.test/go/internal/session"
)

// ErrClosed says that the socket is closed.
var ErrClosed = errors.New("the socket is closed")

// makers make a library socket of each type.
var makers = map[string]func(context.Context, ...zmq4.Option) zmq4.Socket{
	"REQ": zmq4.NewReq, "REP": zmq4.NewRep, "DEALER": zmq4.NewDealer, "ROUTER": zmq4.NewRouter, "PUB": zmq4.NewPub,
	"SUB": zmq4.NewSub, "XPUB": zmq4.NewXPub, "XSUB": zmq4.NewXSub, "PUSH": zmq4.NewPush, "PULL": zmq4.NewPull,
	"PAIR": zmq4.NewPair,
}

// Socket is a socket of the library whose connections are QZMQ links. Its methods may be called from many goroutines.
type Socket struct {
	kind    string
	context context.Context
	cancel  context.CancelFunc

	mu        sync.Mutex
	zmq       zmq4.Socket // nil until it is needed, since the library wants its options at once
	options   []zmq4.Option
	set       []setting // options that can be set only then
	linger    time.Duration
	plain     bool // bound or connected without QZMQ: the library alone knows its peers
	nextID    uint32
	acceptors []*link.Acceptor
	mandatory bool                // a ROUTER refuses to send to nobody
	links     map[*inner]struct{} // whose connections are not over
	live      map[*inner]struct{} // on which the library can send
	connects  int                 // endpoints that are connected, whether the peer is there or not
	refused   chan time.Time      // closed when they are none any more
	routes    map[string]*inner   // of a ROUTER: by the peer's identity
	changed   chan struct{}       // closed, and made anew, when they change

	topics     *topics // of an XPUB socket
	properties bool    // Receive gives those of the peer

	joining  sync.Mutex // the library listens, or dials, once at a time
	listener *listener

	written   atomic.Uint64 // messages that links have taken
	sending   chan struct{} // holds one while a message is being sent
	receiving chan struct{} // holds one while somebody receives
	pending   chan received // the library's answer to a Receive that gave up
}

type setting struct {
	name  string
	value any
}

type received struct {
	parts [][]byte
	err   error
}

// NewSocket makes a socket of that type.
func NewSocket(kind string) (*Socket, error) {
	if makers[kind] == nil {
		return nil, fmt.Errorf("go-zeromq/zmq4 has no %s socket", kind)
	}
	s := &Socket{
		kind: kind, linger: bridge.Unlimited, changed: make(chan struct{}),
		links: make(map[*inner]struct{}), live: make(map[*inner]struct{}), routes: make(map[string]*inner),
		sending: make(chan struct{}, 1), receiving: make(chan struct{}, 1),
	}
	s.context, s.cancel = context.WithCancel(context.Background())
	if kind == "XPUB" {
		s.topics = newTopics(s.context)
	}
	return s, nil
}

// library is the library's socket, made now if it has not been needed before.
func (s *Socket) library() (zmq4.Socket, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.context.Err() != nil {
		return nil, ErrClosed
	}
	if s.zmq == nil {
		// The context is not this socket's: what was sent is still to go when that ends.
		quiet := zmq4.WithLogger(log.New(io.Discard, "", 0))
		s.zmq = makers[s.kind](context.Background(), append(s.options, quiet)...)
		for _, o := range s.set {
			if err := s.zmq.SetOption(o.name, o.value); err != nil {
				return nil, err
			}
		}
	}
	return s.zmq, nil
}

// Bind binds the socket at the endpoint, and returns it with its port.
func (s *Socket) Bind(at network.Endpoint, options bridge.Options) (network.Endpoint, error) {
	listener, err := s.listen()
	if err != nil {
		return network.Endpoint{}, err
	}
	network, endpoint, err := at.Listen()
	if err != nil {
		return endpoint, err
	}
	acceptor := &link.Acceptor{Listener: network, Hooks: options.Hooks, HalfOpen: options.HalfOpen}
	acceptor.Make = func(address string) (link.Session, error) {
		return options.Make(address, nil, acceptor.Unfinished)
	}
	acceptor.Serve = func(l *link.Link, peer session.Peer) {
		s.serve(l, peer.Metadata, listener.push)
	}
	s.mu.Lock()
	s.acceptors = append(s.acceptors, acceptor)
	s.mu.Unlock()
	go acceptor.Run()
	return endpoint, nil
}

// listen has the library listen, once: it knows one listener for each socket.
func (s *Socket) listen() (*listener, error) {
	library, err := s.library()
	if err != nil {
		return nil, err
	}
	exchange, err := links()
	if err != nil {
		return nil, err
	}
	s.joining.Lock()
	defer s.joining.Unlock()
	if s.listener == nil {
		listener, endpoint := exchange.listen()
		if err := library.Listen(endpoint); err != nil {
			return nil, err
		}
		s.listener = listener
	}
	return s.listener, nil
}

var errIdentityTaken = errors.New("another peer has that identity")

// introduce has the peer say READY. A ROUTER's peers have different identities: who has none is given one, and whoever
// takes another's is refused, as libzmq does. (The library would send to both.)
func (s *Socket) introduce(conn *inner, peer []session.Property) error {
	properties := make([]local.Property, 0, len(peer)+1)
	for _, p := range peer {
		if string(p.Name) == "Identity" {
			conn.identity = string(p.Value)
			continue
		}
		properties = append(properties, local.Property{Name: string(p.Name), Value: p.Value})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kind == "ROUTER" {
		if conn.identity == "" {
			s.nextID++
			conn.identity = string(binary.BigEndian.AppendUint32([]byte{0}, s.nextID))
		}
		if s.routes[conn.identity] != nil {
			return errIdentityTaken
		}
		s.routes[conn.identity] = conn
	}
	conn.begin(append(properties, local.Property{Name: "Identity", Value: []byte(conn.identity)}))
	return nil
}

// change changes links or live, and tells those who wait for that.
func (s *Socket) change(how func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	how()
	close(s.changed)
	s.changed = make(chan struct{})
}

// Close closes the socket, and waits for what was sent up to the linger time.
func (s *Socket) Close() error {
	s.mu.Lock()
	if s.context.Err() != nil {
		s.mu.Unlock()
		return nil
	}
	s.mu.Unlock()
	linger, stop := context.WithTimeout(context.Background(), s.lingerTime())
	defer stop()
	select { // what waits for a peer is to go
	case s.sending <- struct{}{}:
	case <-linger.Done():
	}
	s.mu.Lock()
	s.cancel()
	library, acceptors := s.zmq, s.acceptors
	s.mu.Unlock()
	for _, acceptor := range acceptors {
		_ = acceptor.Close()
	}
	if library == nil {
		return nil
	}
	err := library.Close()
	s.drain(linger.Done())
	return err
}

// drain waits until no connection is left, or the linger time is over.
func (s *Socket) drain(expired <-chan struct{}) {
	for {
		s.mu.Lock()
		n, changed := len(s.links), s.changed
		s.mu.Unlock()
		if n == 0 {
			return
		}
		select {
		case <-changed:
		case <-expired:
			return
		}
	}
}

func (s *Socket) lingerTime() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.linger
}

// SetOption sets an option by libzmq's name. The library has few; what Connect and Close do is this package's.
func (s *Socket) SetOption(name string, value any) error {
	switch name {
	case "LINGER":
		return s.setMilliseconds(value)
	case "ROUTING_ID":
		return s.setRoutingID(value)
	case "QZMQ_PROPERTIES":
		return s.setProperties(value)
	case "RECONNECT_IVL", "RECONNECT_IVL_MAX":
		return nil // they come with Connect
	case "ROUTER_MANDATORY":
		s.mu.Lock()
		defer s.mu.Unlock()
		s.mandatory = value == 1 || value == true
		return nil
	case "SUBSCRIBE", "UNSUBSCRIBE":
		text, ok := value.(string)
		if octets, octetsToo := value.([]byte); octetsToo {
			text, ok = string(octets), true
		}
		if !ok {
			return fmt.Errorf("option %s does not take a %T", name, value)
		}
		return s.setLibrary(name, text)
	case "SNDHWM":
		if s.kind == "PUB" {
			return s.setLibrary(zmq4.OptionHWM, value)
		}
	}
	return fmt.Errorf("go-zeromq/zmq4 has no option %s: %w", name, errors.ErrUnsupported)
}

func (s *Socket) setMilliseconds(value any) error {
	n, ok := value.(int)
	if !ok {
		return fmt.Errorf("option LINGER does not take a %T", value)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.linger = lingerOf(n)
	return nil
}

// lingerOf is a linger time of so many milliseconds, without an end if that is negative.
func lingerOf(milliseconds int) time.Duration {
	if milliseconds < 0 {
		return bridge.Unlimited
	}
	return time.Duration(milliseconds) * time.Millisecond
}

func (s *Socket) setRoutingID(value any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.zmq != nil {
		return errors.New("option ROUTING_ID must be set before the socket binds or connects")
	}
	s.options = append(s.options, zmq4.WithID(zmq4.SocketIdentity(fmt.Sprint(value))))
	return nil
}

func (s *Socket) setLibrary(name string, value any) error {
	s.mu.Lock()
	if s.zmq == nil {
		s.set = append(s.set, setting{name, value})
		s.mu.Unlock()
		return nil
	}
	library := s.zmq
	s.mu.Unlock()
	if err := library.SetOption(name, value); !errors.Is(err, errLost) {
		return err
	}
	return nil // a peer that comes is told all subscriptions
}
