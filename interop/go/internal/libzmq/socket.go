//go:build cgo

// Package libzmq gives QZMQ to real libzmq sockets: each binds or connects a private path, and a bridge joins that to
// the network.
package libzmq

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	zmq "github.com/pebbe/zmq4"
	"golang.org/x/sys/unix"

	"qzmq.test/go/internal/bridge"
	"qzmq.test/go/internal/network"
)

// ErrClosed says that the socket is closed.
var ErrClosed = errors.New("the socket is closed")

// Socket is a libzmq socket whose connections are QZMQ links. Its methods may be called from many goroutines.
type Socket struct {
	mu  sync.Mutex // libzmq's sockets are not for more than one thread at a time
	zmq *zmq.Socket
	hop *bridge.Hop

	signal       int // libzmq's own descriptor, which becomes readable when something may have changed
	woken, waker int // a pipe that ends the wait for signal
	polled       [2]unix.PollFd
	polling      chan struct{} // holds one while a goroutine waits for signal
	waiting      atomic.Int32  // goroutines that wait
	changed      chan struct{} // closed, and made anew, when an operation may have used up a signal
	over         chan struct{} // closed by Close

	bound     []*bridge.Bound
	connected []*bridge.Connected

	context *Context
	domain  string // of ZAP, once the socket serves CURVE clients
}

// types are the names of the socket types that this package has.
var types = map[string]zmq.Type{
	"REQ": zmq.REQ, "REP": zmq.REP, "DEALER": zmq.DEALER, "ROUTER": zmq.ROUTER, "PUB": zmq.PUB, "SUB": zmq.SUB,
	"XPUB": zmq.XPUB, "XSUB": zmq.XSUB, "PUSH": zmq.PUSH, "PULL": zmq.PULL, "PAIR": zmq.PAIR, "STREAM": zmq.STREAM,
}

// Context is a libzmq context.
type Context struct {
	zmq *zmq.Context
	zap zap
}

// NewContext makes a context.
func NewContext() (*Context, error) {
	context, err := zmq.NewContext()
	if err != nil {
		return nil, err
	}
	return &Context{zmq: context}, nil
}

// Close ends the context, and waits until libzmq has let go of what the sockets' linger times allow.
func (c *Context) Close() error { return c.zmq.Term() }

// NewSocket makes a socket of that type.
func (c *Context) NewSocket(kind string) (*Socket, error) {
	hop, err := bridge.NewHop(kind == "STREAM")
	if err != nil {
		return nil, err
	}
	s := &Socket{
		context: c, hop: hop, polling: make(chan struct{}, 1), changed: make(chan struct{}), over: make(chan struct{}),
	}
	if err := s.open(c.zmq, types[kind]); err != nil {
		_ = hop.Remove()
		return nil, err
	}
	return s, nil
}

func (s *Socket) open(context *zmq.Context, kind zmq.Type) (err error) {
	if s.zmq, err = context.NewSocket(kind); err != nil {
		return err
	}
	// The hop's READY waits until the peer is there, however long that takes.
	if err = s.zmq.SetHandshakeIvl(0); err != nil {
		return err
	}
	if s.signal, err = s.zmq.GetFd(); err != nil {
		return err
	}
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return err
	}
	s.woken, s.waker = pipe[0], pipe[1]
	return s.setLinger(-1)
}

// Bind binds the socket at the endpoint, and returns it with its port.
func (s *Socket) Bind(at network.Endpoint, options bridge.Options) (network.Endpoint, error) {
	bound, err := s.hop.Bind(at, options)
	if err != nil {
		return network.Endpoint{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err = s.acceptsNull(); err == nil {
		err = s.zmq.Bind(bound.Path())
	}
	if err == nil && options.Curve != nil {
		err = s.bindCurve(bound.CurvePath(), options.Curve)
	}
	if err != nil {
		_ = bound.Close()
		return network.Endpoint{}, err
	}
	s.bound = append(s.bound, bound)
	go bound.Run()
	return bound.Endpoint, nil
}

// Connect connects the socket to the endpoint.
func (s *Socket) Connect(to network.Endpoint, options bridge.Options) error {
	connected, err := s.hop.Connect(to, options)
	if err != nil {
		return err
	}
	s.mu.Lock()
	if err = s.acceptsNull(); err == nil {
		err = s.zmq.Connect(connected.Path())
	}
	s.connected = append(s.connected, connected)
	s.mu.Unlock()
	if err != nil {
		connected.Close()
		return err
	}
	go connected.Run()
	connected.Await(time.Second)
	return nil
}

// Plain binds or connects without QZMQ: inproc, or a socket that is meant to speak ZMTP NULL.
func (s *Socket) Plain(bind bool, endpoint string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.acceptsNull(); err != nil {
		return "", err
	}
	if !bind {
		return endpoint, s.zmq.Connect(endpoint)
	}
	if err := s.zmq.Bind(endpoint); err != nil {
		return "", err
	}
	return s.zmq.GetLastEndpoint()
}

// Send sends a message. It waits up to limit for room, for ever if that is negative, and fails with os.ErrDeadlineExceeded.
func (s *Socket) Send(parts [][]byte, limit time.Duration) error {
	return s.try(limit, func() error {
		err := s.send(parts)
		if zmq.AsErrno(err) != zmq.Errno(syscall.EAGAIN) {
			return err
		}
		if _, err := s.zmq.GetEvents(); err != nil { // a send leaves a recent signal alone; this takes it
			return err
		}
		return s.send(parts)
	})
}

func (s *Socket) send(parts [][]byte) error {
	for i, part := range parts {
		flags := zmq.DONTWAIT
		if i < len(parts)-1 {
			flags |= zmq.SNDMORE
		}
		if _, err := s.zmq.SendBytes(part, flags); err != nil {
			return err
		}
	}
	return nil
}

// Receive receives a message, and what it can of these properties of the peer. It waits as Send does.
func (s *Socket) Receive(limit time.Duration, names ...string) (parts [][]byte, properties map[string]string, err error) {
	err = s.try(limit, func() (err error) {
		if len(names) == 0 {
			parts, err = s.zmq.RecvMessageBytes(zmq.DONTWAIT)
		} else {
			parts, properties, err = s.zmq.RecvMessageBytesWithMetadata(zmq.DONTWAIT, names...)
		}
		return err
	})
	return parts, properties, err
}

// release ends the waiting on a socket that is closed.
func (s *Socket) release() {
	s.wake()
	s.polling <- struct{}{} // nobody waits for the signal any more, nor ever again
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = unix.Close(s.woken), unix.Close(s.waker)
	s.woken, s.waker = -1, -1
}

// Close closes the socket, waits for what is on its way up to the linger time, and removes the private path.
func (s *Socket) Close() error {
	s.mu.Lock()
	if s.zmq == nil {
		s.mu.Unlock()
		return nil
	}
	socket := s.zmq
	s.zmq = nil
	close(s.over)
	s.mu.Unlock()
	s.release()
	for _, bound := range s.bound {
		_ = bound.Close()
	}
	again := reconnectTime(socket)
	err := socket.Close()
	if slices.ContainsFunc(s.connected, (*bridge.Connected).Reaching) {
		s.hop.Revive(again)
	}
	s.hop.Wait()
	s.context.zap.forget(s.domain)
	for _, connected := range s.connected {
		connected.Close()
	}
	if err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return s.hop.Remove()
}

// reconnectTime is how long libzmq takes at most to connect again: its interval, as much again by chance, or the ceiling.
func reconnectTime(socket *zmq.Socket) time.Duration {
	interval, _ := socket.GetReconnectIvl()
	ceiling, _ := socket.GetReconnectIvlMax()
	return max(2*interval, ceiling) + 50*time.Millisecond
}
