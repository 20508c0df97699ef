//go:build !cgo

package main

import (
	"context"
	"fmt"
	"strings"

	zmq "github.com/go-zeromq/zmq4"
)

const backend = "go-zeromq/zmq4"

// plain is go-zeromq as it is, which has NULL only.
type plain struct {
	context context.Context
	cancel  context.CancelFunc
}

func newPlain(o opening) (stack, error) {
	if o.Mechanism != "NULL" {
		return nil, fmt.Errorf("%s has no %s", backend, o.Mechanism)
	}
	ctx, cancel := context.WithCancel(context.Background())
	return plain{ctx, cancel}, nil
}

var kinds = map[string]func(context.Context, ...zmq.Option) zmq.Socket{
	"PUSH": zmq.NewPush, "PULL": zmq.NewPull, "REQ": zmq.NewReq, "REP": zmq.NewRep,
}

func (p plain) open(name string) (socket, error) {
	create, known := kinds[name]
	if !known {
		return nil, fmt.Errorf("there is no socket type %q", name)
	}
	return plainSocket{create(p.context, zmq.WithTimeout(patience))}, nil
}

func (p plain) close() error {
	p.cancel()
	return nil
}

type plainSocket struct{ zmq.Socket }

func (s plainSocket) bind() (string, error) {
	if err := s.Listen(strings.Replace(anywhere, "*", "0", 1)); err != nil {
		return "", err
	}
	return "tcp://" + s.Addr().String(), nil
}

func (s plainSocket) connect(endpoint string) error { return s.Dial(endpoint) }
func (s plainSocket) send(message []byte) error     { return s.Send(zmq.NewMsg(message)) }

func (s plainSocket) recv() ([]byte, error) {
	message, err := s.Recv()
	return message.Bytes(), err
}

func (s plainSocket) close() error { return s.Close() }
