package qzmq

import "qzmq.test/go/internal/pure"

type goBackend struct{}

func openGo() (backend, error) { return goBackend{}, nil }

func (goBackend) name() Backend { return BackendGo }

func (goBackend) types() []SocketType {
	return []SocketType{REQ, REP, DEALER, ROUTER, PUB, SUB, XPUB, XSUB, PUSH, PULL, PAIR, STREAM}
}

func (goBackend) open(kind SocketType) (engine, error) {
	if kind == STREAM {
		return pure.NewStream(), nil
	}
	return pure.NewSocket(kind.String())
}

func (goBackend) close() error { return nil }
