package main

import (
	"bytes"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/luxfi/qzmq"
)

const (
	// silence is how long the application must have said nothing before the adapter listens for it. The module's Recv
	// holds the lock that its Send needs: a socket that waits for a message cannot send one.
	silence = 100 * time.Millisecond
	// soon is how long a request may keep the adapter waiting.
	soon = 50 * time.Millisecond
	// dialing is how long Connect may take; it returns when the handshake of ZMTP is over.
	dialing = 500 * time.Millisecond
)

// types are the patterns by their names in ZMTP.
var types = map[string]qzmq.SocketType{
	"REQ": qzmq.REQ, "REP": qzmq.REP, "DEALER": qzmq.DEALER, "ROUTER": qzmq.ROUTER, "PUB": qzmq.PUB, "SUB": qzmq.SUB,
	"XPUB": qzmq.XPUB, "XSUB": qzmq.XSUB, "PUSH": qzmq.PUSH, "PULL": qzmq.PULL, "PAIR": qzmq.PAIR, "STREAM": qzmq.STREAM,
}

// socket is one of the module's, used as an application would use it: one call at a time.
type socket struct {
	transport qzmq.Transport
	socket    qzmq.Socket
	listens   bool
	sends     bool
	ready     chan struct{} // closed once Bind or Connect has returned

	mu      sync.Mutex
	inbox   [][][]byte
	outbox  [][]byte // being sent
	sent    bool
	busy    bool // Recv has not returned
	last    time.Time
	closing bool
}

func open(asked request) (*socket, string, error) {
	options, err := optionsOf(asked.Security)
	if err != nil {
		return nil, "", err
	}
	transport, err := qzmq.New(options)
	if err != nil {
		return nil, "", err
	}
	inner, err := transport.NewSocket(types[asked.Pattern])
	if err != nil {
		return nil, "", err
	}
	s := &socket{
		transport: transport, socket: inner, ready: make(chan struct{}), last: time.Now(),
		listens: !slices.Contains([]string{"PUSH", "PUB"}, asked.Pattern),
		sends:   !slices.Contains([]string{"PULL", "SUB"}, asked.Pattern),
	}
	if identity, ok := asked.Options["ROUTING_ID"].(string); ok {
		if err := inner.SetOption("identity", identity); err != nil {
			return nil, "", err
		}
	}
	endpoint, err := s.attach(asked)
	if err != nil {
		s.close()
		return nil, "", err
	}
	return s, endpoint, nil
}

// attach binds or connects. The module does not tell which port it has bound: a free one is looked for beforehand.
func (s *socket) attach(asked request) (string, error) {
	endpoint := asked.Endpoint
	attached := make(chan error, 1)
	go func() {
		defer close(s.ready)
		if !asked.Bind {
			attached <- s.subscribe(asked, s.socket.Connect(endpoint))
		}
	}()
	if !asked.Bind {
		select {
		case err := <-attached:
			return endpoint, err
		case <-time.After(dialing): // it goes on in the background
			return endpoint, nil
		}
	}
	port, err := freePort()
	if err != nil {
		return "", err
	}
	endpoint = strings.Replace(endpoint, "*", fmt.Sprint(port), 1)
	return endpoint, s.subscribe(asked, s.socket.Bind(endpoint))
}

func (s *socket) subscribe(asked request, err error) error {
	topic, ok := asked.Options["SUBSCRIBE"].(string)
	if err != nil || !ok {
		return err
	}
	return s.socket.Subscribe(topic)
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// send hands a message to the module and says whether it has taken it. The suite asks again while it has not.
func (s *socket) send(parts [][]byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = time.Now()
	if s.sent && slices.EqualFunc(s.outbox, parts, bytes.Equal) {
		s.outbox, s.sent = nil, false
		return true
	}
	if s.outbox != nil {
		return false
	}
	s.outbox = parts
	done := make(chan struct{})
	go s.deliver(parts, done)
	s.mu.Unlock()
	select {
	case <-done:
	case <-time.After(soon):
	}
	s.mu.Lock()
	if s.sent {
		s.outbox, s.sent = nil, false
		return true
	}
	return false
}

func (s *socket) deliver(parts [][]byte, done chan<- struct{}) {
	defer close(done)
	select {
	case <-s.ready:
	case <-time.After(soon):
		s.finish(false)
		return
	}
	s.finish(s.socket.SendMultipart(parts) == nil)
}

func (s *socket) finish(sent bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last, s.sent = time.Now(), sent
	if !sent {
		s.outbox = nil
	}
}

// received are the messages that have come; it begins to wait for the next one when the application has been silent.
func (s *socket) received() [][][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.inbox
	s.inbox = nil
	quiet := time.Since(s.last) > silence && s.outbox == nil
	if s.listens && !s.busy && !s.closing && (quiet || !s.sends) {
		s.busy = true
		go s.wait()
	}
	return found
}

func (s *socket) wait() {
	<-s.ready
	parts, err := s.socket.RecvMultipart()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy, s.last = false, time.Now()
	if err == nil && len(parts) > 0 {
		s.inbox = append(s.inbox, parts)
	}
}

func (s *socket) close() {
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	go func() { // it may wait for a Connect that never ends
		s.socket.Close()
		s.transport.Close()
	}()
}
