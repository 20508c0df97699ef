//go:build cgo

package qzmq

import "qzmq.test/go/internal/libzmq"

type libzmqBackend struct{ context *libzmq.Context }

func openLibzmq() (backend, error) {
	context, err := libzmq.NewContext()
	if err != nil {
		return nil, err
	}
	return libzmqBackend{context}, nil
}

func (b libzmqBackend) name() Backend { return BackendLibzmq }

func (b libzmqBackend) types() []SocketType {
	return []SocketType{REQ, REP, DEALER, ROUTER, PUB, SUB, XPUB, XSUB, PUSH, PULL, PAIR, STREAM}
}

func (b libzmqBackend) open(kind SocketType) (engine, error) {
	return b.context.NewSocket(kind.String())
}

func (b libzmqBackend) close() error { return b.context.Close() }
