// Package qzmq secures ZeroMQ sockets with QZMQ/1: a post-quantum handshake and a record layer on every connection, in
// place of CURVE. Patterns, subscriptions, identities and reconnecting stay what the ZeroMQ library below makes them.
//
// A Transport makes sockets; a Socket is used like one of ZeroMQ. The side that binds is the QZMQ server unless
// Security.Role says otherwise. A server needs its secret key, a client the pin of its server; without them Bind and
// Connect fail and say what to set. Keys are 40 Z85 characters, and Keypair makes them.
//
// With cgo the sockets are libzmq's (github.com/pebbe/zmq4), without it they are github.com/go-zeromq/zmq4's.
package qzmq

import (
	"crypto/rand"
	"fmt"
	"sync"
	"sync/atomic"

	"qzmq.test/go/internal/certificate"
	"qzmq.test/go/internal/primitive"
)

// SocketType is a ZeroMQ pattern's end.
type SocketType int

// The socket types. STREAM uses the raw binding, every other the zmtp binding (PAT-2).
const (
	REQ SocketType = iota
	REP
	DEALER
	ROUTER
	PUB
	SUB
	XPUB
	XSUB
	PUSH
	PULL
	PAIR
	STREAM
)

var typeNames = [...]string{
	"REQ", "REP", "DEALER", "ROUTER", "PUB", "SUB", "XPUB", "XSUB", "PUSH", "PULL", "PAIR", "STREAM",
}

// String is the type's name in table socket-types.
func (t SocketType) String() string {
	if t < 0 || int(t) >= len(typeNames) {
		return fmt.Sprintf("SocketType(%d)", int(t))
	}
	return typeNames[t]
}

// SocketTypeOf is the type of that name.
func SocketTypeOf(name string) (SocketType, error) {
	for i, known := range typeNames {
		if name == known {
			return SocketType(i), nil
		}
	}
	return 0, fmt.Errorf("there is no socket type %q", name)
}

// Transport makes sockets that share options, a backend and a count of what happened. Its methods may be called from
// many goroutines.
type Transport interface {
	// NewSocket makes a socket. It fails if the backend does not have the type: see SocketTypes.
	NewSocket(kind SocketType) (Socket, error)
	// Backend is the one in use, never BackendAuto.
	Backend() Backend
	// SocketTypes are the types that the backend has.
	SocketTypes() []SocketType
	// Stats are sums over all sockets, closed ones included.
	Stats() Stats
	// Close closes every socket and waits for what is on its way, each up to its linger time.
	Close() error
}

// New makes a transport. It fails if the options contradict each other or a policy rule, which the error names.
func New(options Options) (Transport, error) {
	policy, err := options.policy()
	if err != nil {
		return nil, err
	}
	if classical := policy.ClassicalSuites(); len(classical) > 0 {
		options.log().Warn("a mixed policy holds classical suites (POL-9)", "suites", fmt.Sprint(classical))
	}
	backend, err := openBackend(options.Backend)
	if err != nil {
		return nil, err
	}
	return &transport{options: options, backend: backend}, nil
}

type transport struct {
	options Options
	backend backend

	mu      sync.Mutex
	closed  bool
	sockets map[*socket]struct{}
	counted Stats // of sockets that are closed
}

func (t *transport) Backend() Backend { return t.backend.name() }

func (t *transport) SocketTypes() []SocketType { return t.backend.types() }

func (t *transport) NewSocket(kind SocketType) (Socket, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, ErrClosed
	}
	engine, err := t.backend.open(kind)
	if err != nil {
		return nil, fmt.Errorf("new %v socket: %w", kind, err)
	}
	s := newSocket(t, kind, engine)
	if err := s.engine.SetOption("LINGER", int(t.options.Timeouts.Linger.Milliseconds())); err != nil {
		return nil, err
	}
	if t.sockets == nil {
		t.sockets = make(map[*socket]struct{})
	}
	t.sockets[s] = struct{}{}
	return s, nil
}

func (t *transport) forget(s *socket) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.sockets, s)
	t.counted = t.counted.plus(*s.GetMetrics())
}

func (t *transport) Stats() Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	stats := t.counted
	for s := range t.sockets {
		stats = stats.plus(*s.GetMetrics())
	}
	return stats
}

func (t *transport) Close() error {
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return nil
	}
	t.closed = true
	var group sync.WaitGroup
	var failure atomic.Pointer[error]
	for s := range t.sockets {
		group.Add(1)
		go func() {
			defer group.Done()
			if err := s.Close(); err != nil {
				failure.Store(&err)
			}
		}()
	}
	t.mu.Unlock()
	group.Wait()
	if err := t.backend.close(); err != nil {
		return err
	}
	if err := failure.Load(); err != nil {
		return *err
	}
	return nil
}

// Keypair makes a key for policies whose first suite signs with the algorithm of that preset's, "default" for instance
// (POL-3, POL-12). Both are 40 Z85 characters: the secret one is a seed, the public one the pin of the key it makes.
func Keypair(preset string) (public, secret string, err error) {
	var seed [primitive.SeedSize]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return "", "", err
	}
	secret = certificate.FormatKey(seed)
	public, err = PublicKey(preset, secret)
	return public, secret, err
}

// PublicKey is the pin of a secret key that was made for that preset.
func PublicKey(preset, secret string) (string, error) {
	policy, err := Options{Preset: preset}.policy()
	if err != nil {
		return "", err
	}
	key, err := signingKey(policy, secret)
	if err != nil {
		return "", err
	}
	return certificate.FormatKey(primitive.Pin(key.SPKI())), nil
}
