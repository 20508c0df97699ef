package qzmq

import (
	"errors"
	"fmt"
	"time"

	"qzmq.test/go/internal/bridge"
	"qzmq.test/go/internal/network"
)

// Backend is a ZeroMQ library.
type Backend int

// The backends. BackendAuto is libzmq where the program is built with cgo, else Go.
const (
	BackendAuto   Backend = iota
	BackendGo             // github.com/go-zeromq/zmq4
	BackendLibzmq         // libzmq, through github.com/pebbe/zmq4
)

// String is the backend's name.
func (b Backend) String() string { return [...]string{"auto", "go", "libzmq"}[b] }

// ErrClosed says that a socket or a transport is closed.
var ErrClosed = errors.New("qzmq: closed")

type backend interface {
	name() Backend
	types() []SocketType
	open(kind SocketType) (engine, error)
	close() error
}

// engine is a socket of a backend, without the security of its connections.
type engine interface {
	Bind(at network.Endpoint, options bridge.Options) (network.Endpoint, error)
	Connect(to network.Endpoint, options bridge.Options) error
	Plain(bind bool, endpoint string) (string, error)
	Send(parts [][]byte, limit time.Duration) error
	Receive(limit time.Duration, properties ...string) ([][]byte, map[string]string, error)
	SetOption(name string, value any) error
	Close() error
}

func openBackend(wanted Backend) (backend, error) {
	if wanted == BackendGo {
		return openGo()
	}
	opened, err := openLibzmq()
	if err == nil || wanted == BackendLibzmq {
		return opened, err
	}
	return openGo()
}

var errNoCgo = fmt.Errorf("this program was built without cgo, so it has no libzmq")
