//go:build cgo

package main

import zmq "github.com/pebbe/zmq4"

// libzmqMechanisms are libzmq's own, by its usual binding.
func libzmqMechanisms() []mechanism { return []mechanism{libzmqNull{}, &curve{}} }

type libzmqSocket struct{ *zmq.Socket }

func (s libzmqSocket) Send(data []byte) error {
	_, err := s.SendBytes(data, 0)
	return err
}

func (s libzmqSocket) Recv() ([]byte, error) { return s.RecvBytes(0) }

func newLibzmqSocket(kind string) (libzmqSocket, error) {
	s, err := zmq.NewSocket(map[string]zmq.Type{
		"PUSH": zmq.PUSH, "PULL": zmq.PULL, "REQ": zmq.REQ, "REP": zmq.REP,
	}[kind])
	return libzmqSocket{s}, err
}

func (s libzmqSocket) bind() (socket, string, error) {
	if err := s.Bind("tcp://127.0.0.1:*"); err != nil {
		return nil, "", err
	}
	endpoint, err := s.GetLastEndpoint()
	return s, endpoint, err
}

type libzmqNull struct{}

func (libzmqNull) name() string { return "NULL" }

func (libzmqNull) listen(kind string) (socket, string, string, error) {
	s, err := newLibzmqSocket(kind)
	if err != nil {
		return nil, "", "", err
	}
	bound, endpoint, err := s.bind()
	return bound, endpoint, "", err
}

func (libzmqNull) connect(kind, endpoint, _ string) (socket, error) {
	s, err := newLibzmqSocket(kind)
	if err != nil {
		return nil, err
	}
	return s, s.Connect(endpoint)
}

type curve struct{ public, secret string }

func (*curve) name() string { return "CURVE" }

// keys makes this side's key, once.
func (c *curve) keys() (err error) {
	if c.public == "" {
		c.public, c.secret, err = zmq.NewCurveKeypair()
	}
	return err
}

func (c *curve) listen(kind string) (socket, string, string, error) {
	s, err := newLibzmqSocket(kind)
	if err == nil {
		err = c.keys()
	}
	if err == nil {
		err = s.SetCurveServer(1)
	}
	if err == nil {
		err = s.SetCurveSecretkey(c.secret)
	}
	if err != nil {
		return nil, "", "", err
	}
	bound, endpoint, err := s.bind()
	return bound, endpoint, c.public, err
}

func (c *curve) connect(kind, endpoint, key string) (socket, error) {
	s, err := newLibzmqSocket(kind)
	if err == nil {
		err = c.keys()
	}
	if err == nil {
		err = s.ClientAuthCurve(key, c.public, c.secret)
	}
	if err != nil {
		return nil, err
	}
	return s, s.Connect(endpoint)
}
