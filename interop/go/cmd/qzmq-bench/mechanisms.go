package main

import (
	"context"
	"strings"

	"github.com/go-zeromq/zmq4"

	qzmq "qzmq.test/go"
)

// socket is one end of a measurement. Its methods wait.
type socket interface {
	Send(data []byte) error
	Recv() ([]byte, error)
	Close() error
}

// mechanism makes the two ends.
type mechanism interface {
	name() string
	// listen binds a socket, and tells what the other end needs to connect.
	listen(kind string) (s socket, endpoint, key string, err error)
	connect(kind, endpoint, key string) (socket, error)
}

// backends are those that are built in.
func backends() []string {
	if len(libzmqMechanisms()) == 0 {
		return []string{"go"}
	}
	return []string{"libzmq", "go"}
}

func mechanismsOf(backend string, suite qzmq.Suite) []mechanism {
	if backend == "libzmq" {
		return append(libzmqMechanisms(), &secured{backend: qzmq.BackendLibzmq, suite: suite})
	}
	return []mechanism{goNull{}, &secured{backend: qzmq.BackendGo, suite: suite}}
}

// secured is QZMQ, by this library's public API.
type secured struct {
	backend qzmq.Backend
	suite   qzmq.Suite

	transport      qzmq.Transport
	public, secret string
}

func (m *secured) name() string { return "QZMQ" }

func (m *secured) open(kind string) (s qzmq.Socket, err error) {
	if m.transport == nil {
		options := qzmq.DefaultOptions()
		options.Backend, options.Suites = m.backend, []qzmq.Suite{m.suite}
		options.Resumption.Tickets = 0 // every handshake is a full one
		if m.transport, err = qzmq.New(options); err != nil {
			return nil, err
		}
		if m.public, m.secret, err = qzmq.Keypair("default"); err != nil {
			return nil, err
		}
	}
	number, err := qzmq.SocketTypeOf(kind)
	if err != nil {
		return nil, err
	}
	return m.transport.NewSocket(number)
}

func (m *secured) listen(kind string) (socket, string, string, error) {
	s, err := m.open(kind)
	if err != nil {
		return nil, "", "", err
	}
	if err := s.SetOption("QZMQ_SECRETKEY", m.secret); err != nil {
		return nil, "", "", err
	}
	return s, "", m.public, s.Bind("tcp://127.0.0.1:*")
}

func (m *secured) connect(kind, endpoint, key string) (socket, error) {
	s, err := m.open(kind)
	if err != nil {
		return nil, err
	}
	if err := s.SetOption("QZMQ_SERVERKEY", key); err != nil {
		return nil, err
	}
	return s, s.Connect(endpoint)
}

// goNull is go-zeromq by itself.
type goNull struct{}

func (goNull) name() string { return "NULL" }

type goSocket struct{ zmq4.Socket }

func (s goSocket) Send(data []byte) error { return s.Socket.Send(zmq4.NewMsg(data)) }

func (s goSocket) Recv() ([]byte, error) {
	message, err := s.Socket.Recv()
	if err != nil {
		return nil, err
	}
	return message.Frames[0], nil
}

func newGoSocket(kind string) goSocket {
	return goSocket{map[string]func(context.Context, ...zmq4.Option) zmq4.Socket{
		"PUSH": zmq4.NewPush, "PULL": zmq4.NewPull, "REQ": zmq4.NewReq, "REP": zmq4.NewRep,
	}[kind](context.Background())}
}

func (goNull) listen(kind string) (socket, string, string, error) {
	s := newGoSocket(kind)
	if err := s.Listen("tcp://127.0.0.1:0"); err != nil {
		return nil, "", "", err
	}
	return s, "tcp://" + s.Addr().String(), "", nil
}

func (goNull) connect(kind, endpoint, _ string) (socket, error) {
	s := newGoSocket(kind)
	return s, s.Dial(endpoint)
}

// lastEndpoint is where a socket is bound, if listen did not say.
func lastEndpoint(s socket, said string) string {
	if bound, ok := s.(qzmq.Socket); ok && said == "" {
		return bound.LastEndpoint()
	}
	return strings.TrimSpace(said)
}
