// Package pure gives QZMQ to the sockets of github.com/go-zeromq/zmq4, without cgo. That library lets a transport be
// registered: this one hands it connections that are QZMQ links outside and plain ZMTP NULL inside.
package pure

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"

	"github.com/go-zeromq/zmq4"
	"github.com/go-zeromq/zmq4/transport"
)

// scheme is the name under which the library knows the transport.
const scheme = "qzmq"

// exchange is where a link waits until the library asks for it: the library knows its connections by endpoint alone.
// The library's registry of transports is global, so this is too.
type exchange struct {
	mu        sync.Mutex
	next      int
	dialed    map[string]*inner
	listeners map[string]*listener
}

var links = sync.OnceValues(func() (*exchange, error) {
	e := &exchange{dialed: make(map[string]*inner), listeners: make(map[string]*listener)}
	return e, zmq4.RegisterTransport(scheme, e)
})

var _ transport.Transport = (*exchange)(nil)

func (e *exchange) name() string {
	e.next++
	return strconv.Itoa(e.next)
}

// offer makes a connection available under an endpoint, once.
func (e *exchange) offer(conn *inner) (endpoint string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	name := e.name()
	e.dialed[name] = conn
	return scheme + "://" + name
}

// listen makes a listener available under an endpoint, once.
func (e *exchange) listen() (*listener, string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	name := e.name()
	l := &listener{name: name, accepted: make(chan *inner), over: make(chan struct{})}
	e.listeners[name] = l
	return l, scheme + "://" + name
}

// Dial gives the library the connection that was offered under that name.
func (e *exchange) Dial(_ context.Context, _ transport.Dialer, name string) (net.Conn, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	conn, found := e.dialed[name]
	delete(e.dialed, name)
	if !found {
		return nil, fmt.Errorf("no link is called %q", name)
	}
	return conn, nil
}

// Listen gives the library the listener of that name.
func (e *exchange) Listen(_ context.Context, name string) (net.Listener, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	l, found := e.listeners[name]
	delete(e.listeners, name)
	if !found {
		return nil, fmt.Errorf("no listener is called %q", name)
	}
	return l, nil
}

// Addr is the name in an endpoint.
func (e *exchange) Addr(endpoint string) (string, error) { return endpoint, nil }

// listener is a net.Listener whose connections have come from any of a socket's endpoints.
type listener struct {
	name     string
	accepted chan *inner
	closing  sync.Once
	over     chan struct{}
}

var errListenerClosed = errors.New("the listener is closed")

// push gives a connection to the library, unless the listener is closed.
func (l *listener) push(conn *inner) error {
	select {
	case l.accepted <- conn:
		return nil
	case <-l.over:
		return errListenerClosed
	}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.accepted:
		return conn, nil
	case <-l.over:
		return nil, errListenerClosed
	}
}

func (l *listener) Close() error {
	l.closing.Do(func() { close(l.over) })
	return nil
}

func (l *listener) Addr() net.Addr { return address(l.name) }

type address string

func (a address) Network() string { return scheme }
func (a address) String() string  { return string(a) }
