package pure

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"qzmq.test/go/internal/bridge"
	"qzmq.test/go/internal/link"
	"qzmq.test/go/internal/network"
	"qzmq.test/go/internal/session"
)

// streamQueue is how many messages wait for the application, and for each peer: libzmq's high-water mark.
const streamQueue = 1000

// Stream is a STREAM socket. The library has none, and it needs none: its messages are the octets of links, in front of
// them the peer's routing identity, as in libzmq. A message without octets is the beginning or the end of a connection;
// one that is sent ends it. Its methods may be called from many goroutines.
type Stream struct {
	context context.Context
	cancel  context.CancelFunc
	inbound chan [][]byte
	serving sync.WaitGroup

	mu        sync.Mutex
	peers     map[string]*streamPeer
	nextID    uint32
	acceptors []*link.Acceptor
	linger    time.Duration
	silent    bool // about beginnings and ends
}

// streamPeer is one connection, and what is to be written on it. Nothing at all ends it.
type streamPeer struct {
	identity []byte
	carrier  carrier
	outbound chan []byte
}

// NewStream makes a STREAM socket.
func NewStream() *Stream {
	s := &Stream{inbound: make(chan [][]byte, streamQueue), peers: make(map[string]*streamPeer), linger: bridge.Unlimited}
	s.context, s.cancel = context.WithCancel(context.Background())
	return s
}

// Bind binds the socket at the endpoint, and returns it with its port.
func (s *Stream) Bind(at network.Endpoint, options bridge.Options) (network.Endpoint, error) {
	listener, endpoint, err := at.Listen()
	if err != nil {
		return endpoint, err
	}
	acceptor := &link.Acceptor{Listener: listener, Hooks: options.Hooks, HalfOpen: options.HalfOpen}
	acceptor.Make = func(address string) (link.Session, error) { return options.Make(address, nil, acceptor.Unfinished) }
	acceptor.Serve = func(l *link.Link, _ session.Peer) { s.serve(l) }
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acceptors = append(s.acceptors, acceptor)
	go acceptor.Run()
	return endpoint, nil
}

// Connect connects the socket to the endpoint, and again after each loss, until the peer refuses it for good.
func (s *Stream) Connect(to network.Endpoint, options bridge.Options) error {
	go func() {
		for s.context.Err() == nil {
			l, _, err := bridge.Reach(s.context, to, options, nil, nil)
			if err != nil {
				return
			}
			s.serve(l)
			bridge.Pause(s.context, options.ReconnectInterval)
		}
	}()
	return nil
}

// Plain binds or connects without QZMQ: whatever octets come.
func (s *Stream) Plain(bind bool, endpoint string) (string, error) {
	return plainly(s.context, bind, endpoint, func(w *wire) { s.serve(w) })
}

// serve carries a connection's octets until both sides have ended.
func (s *Stream) serve(c carrier) {
	peer := s.begin(c)
	defer s.serving.Done()
	go s.write(peer)
	s.notify(peer)
	for {
		octets, err := c.Next()
		if err != nil {
			break
		}
		s.deliver(peer.identity, bytes.Clone(octets))
	}
	s.forget(peer)
	s.notify(peer)
	<-c.Over()
}

func (s *Stream) begin(c carrier) *streamPeer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nextID++
	peer := &streamPeer{
		identity: binary.BigEndian.AppendUint32([]byte{0}, s.nextID), carrier: c, outbound: make(chan []byte, streamQueue),
	}
	s.peers[string(peer.identity)] = peer
	s.serving.Add(1)
	if s.context.Err() != nil {
		peer.outbound <- nil
	}
	return peer
}

func (s *Stream) forget(peer *streamPeer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.peers, string(peer.identity))
}

// notify tells the application that a connection has begun or ended, unless it does not want to know.
func (s *Stream) notify(peer *streamPeer) {
	s.mu.Lock()
	silent := s.silent
	s.mu.Unlock()
	if !silent {
		s.deliver(peer.identity, nil)
	}
}

// deliver gives the application a message, as soon as there is room.
func (s *Stream) deliver(identity, octets []byte) {
	select {
	case s.inbound <- [][]byte{identity, octets}:
	case <-s.context.Done():
	}
}

// write writes what the application says to a peer, up to the end.
func (s *Stream) write(peer *streamPeer) {
	for {
		select {
		case octets := <-peer.outbound:
			if len(octets) == 0 {
				peer.carrier.CloseWrite(s.lingerTime())
				return
			}
			if peer.carrier.Write(octets) != nil {
				return
			}
		case <-peer.carrier.Ending():
			return
		}
	}
}

// Send sends the second part to the peer whose identity is the first, or ends its connection if the second is empty. It
// waits for room up to limit, for ever if that is negative. It fails with EHOSTUNREACH if there is no such peer.
func (s *Stream) Send(parts [][]byte, limit time.Duration) error {
	if len(parts) != 2 {
		return fmt.Errorf("a STREAM socket sends an identity and octets, not %d parts", len(parts))
	}
	s.mu.Lock()
	peer := s.peers[string(parts[0])]
	s.mu.Unlock()
	switch {
	case s.context.Err() != nil:
		return ErrClosed
	case peer == nil:
		return syscall.EHOSTUNREACH
	}
	return s.put(peer, bytes.Clone(parts[1]), after(limit))
}

func (s *Stream) put(peer *streamPeer, octets []byte, expired <-chan time.Time) error {
	select {
	case peer.outbound <- octets:
		return nil
	default:
	}
	select {
	case peer.outbound <- octets:
		return nil
	case <-peer.carrier.Ending():
		return syscall.EHOSTUNREACH
	case <-expired:
		return os.ErrDeadlineExceeded
	}
}

// Receive receives an identity and octets. It waits up to limit, for ever if that is negative. There are no properties in
// the raw binding (PAT-8).
func (s *Stream) Receive(limit time.Duration, _ ...string) ([][]byte, map[string]string, error) {
	select {
	case parts := <-s.inbound:
		return parts, nil, nil
	default:
	}
	select {
	case parts := <-s.inbound:
		return parts, nil, nil
	case <-after(limit):
		return nil, nil, os.ErrDeadlineExceeded
	case <-s.context.Done():
		return nil, nil, ErrClosed
	}
}

// SetOption sets an option by libzmq's name: LINGER and STREAM_NOTIFY, and those that come with Connect.
func (s *Stream) SetOption(name string, value any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch name {
	case "LINGER":
		n, ok := value.(int)
		if !ok {
			return fmt.Errorf("option LINGER does not take a %T", value)
		}
		s.linger = lingerOf(n)
		return nil
	case "STREAM_NOTIFY":
		s.silent = value == 0 || value == false
		return nil
	case "RECONNECT_IVL", "RECONNECT_IVL_MAX":
		return nil
	}
	return fmt.Errorf("a STREAM socket has no option %s here: %w", name, errors.ErrUnsupported)
}

func (s *Stream) lingerTime() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.linger
}

// Close closes the socket, and waits for what was sent up to the linger time.
func (s *Stream) Close() error {
	s.cancel()
	s.mu.Lock()
	for _, acceptor := range s.acceptors {
		_ = acceptor.Close()
	}
	for _, peer := range s.peers {
		go func() { _ = s.put(peer, nil, nil) }()
	}
	s.mu.Unlock()
	over := make(chan struct{})
	go func() { s.serving.Wait(); close(over) }()
	select {
	case <-over:
	case <-time.After(s.lingerTime()):
	}
	return nil
}
