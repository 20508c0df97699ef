//go:build cgo

package main

import (
	"fmt"

	zmq "github.com/pebbe/zmq4"
)

const backend = "libzmq through pebbe/zmq4"

// plain is libzmq as it is, under NULL or CURVE.
type plain struct {
	context *zmq.Context
	opening opening
}

func newPlain(o opening) (stack, error) {
	if o.Mechanism != "NULL" && o.Mechanism != "CURVE" {
		return nil, fmt.Errorf("there is no mechanism %q", o.Mechanism)
	}
	if o.Mechanism == "CURVE" && !zmq.HasCurve() {
		return nil, fmt.Errorf("this libzmq is built without CURVE")
	}
	if o.Mechanism == "CURVE" && o.Role == "server" {
		return admitting(o)
	}
	context, err := zmq.NewContext()
	return &plain{context, o}, err
}

// admitting is a server's stack, whose ZAP handler admits the one client; the library has that in its own context only.
func admitting(o opening) (stack, error) {
	if err := zmq.AuthStart(); err != nil {
		return nil, err
	}
	zmq.AuthCurveAdd("*", o.Keys.ClientPublic)
	return &plain{nil, o}, nil
}

var kinds = map[string]zmq.Type{
	"PUSH": zmq.PUSH, "PULL": zmq.PULL, "REQ": zmq.REQ, "REP": zmq.REP,
}

func (p *plain) open(name string) (socket, error) {
	kind, known := kinds[name]
	if !known {
		return nil, fmt.Errorf("there is no socket type %q", name)
	}
	var opened *zmq.Socket
	var err error
	if p.context == nil {
		opened, err = zmq.NewSocket(kind)
	} else {
		opened, err = p.context.NewSocket(kind)
	}
	if err != nil {
		return nil, err
	}
	return plainSocket{opened, p.opening}, set(
		opened.SetLinger(0), opened.SetBacklog(backlog), opened.SetRcvtimeo(patience), opened.SetSndtimeo(patience),
	)
}

func (p *plain) close() error {
	if p.context == nil {
		zmq.AuthStop()
		return zmq.Term()
	}
	return p.context.Term()
}

type plainSocket struct {
	*zmq.Socket
	opening opening
}

func (s plainSocket) bind() (string, error) {
	if s.opening.Mechanism == "CURVE" {
		if err := s.ServerAuthCurve("global", s.opening.Keys.ServerSecret); err != nil {
			return "", err
		}
	}
	if err := s.Bind(anywhere); err != nil {
		return "", err
	}
	return s.GetLastEndpoint()
}

func (s plainSocket) connect(endpoint string) error {
	if k := s.opening.Keys; s.opening.Mechanism == "CURVE" {
		if err := s.ClientAuthCurve(k.ServerPublic, k.ClientPublic, k.ClientSecret); err != nil {
			return err
		}
	}
	return s.Connect(endpoint)
}

func (s plainSocket) send(message []byte) error {
	_, err := s.SendBytes(message, 0)
	return err
}

func (s plainSocket) recv() ([]byte, error) { return s.RecvBytes(0) }
func (s plainSocket) close() error          { return s.Close() }

// set is the first error of several options.
func set(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
