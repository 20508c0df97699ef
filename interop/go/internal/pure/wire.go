package pure

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"time"

	"qzmq.test/go/internal/bridge"
	"qzmq.test/go/internal/local"
	"qzmq.test/go/internal/network"
	"qzmq.test/go/internal/session"
)

// Without QZMQ: how long a handshake may take, and what is between two attempts to reach a peer.
const (
	plainHandshake = 5 * time.Second
	plainInterval  = 100 * time.Millisecond
)

// carrier is what a socket needs of a link.Link.
type carrier interface {
	Next() ([]byte, error)
	NextInto(buffer []byte) ([]byte, error)
	Write(pieces ...[]byte) error
	WriteEarly(octets []byte) error
	CloseWrite(linger time.Duration)
	Ending() <-chan struct{}
	Over() <-chan struct{}
}

// wire is a connection without QZMQ.
type wire struct {
	conn   net.Conn
	buffer [64 << 10]byte
	ending sync.Once
	over   chan struct{}
}

func newWire(conn net.Conn) *wire { return &wire{conn: conn, over: make(chan struct{})} }

func (w *wire) Next() ([]byte, error) {
	n, err := w.conn.Read(w.buffer[:])
	if n > 0 {
		return w.buffer[:n], nil
	}
	w.ending.Do(func() { _ = w.conn.Close(); close(w.over) })
	return nil, err
}

func (w *wire) NextInto([]byte) ([]byte, error) { return w.Next() }

func (w *wire) Write(pieces ...[]byte) error {
	buffers := net.Buffers(pieces)
	_, err := buffers.WriteTo(w.conn)
	return err
}

func (w *wire) WriteEarly(octets []byte) error { return w.Write(octets) }

func (w *wire) CloseWrite(linger time.Duration) {
	_ = w.conn.SetDeadline(time.Now().Add(linger))
	if half, ok := w.conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}

func (w *wire) Ending() <-chan struct{} { return w.over }
func (w *wire) Over() <-chan struct{}   { return w.over }

// Plain binds or connects without QZMQ.
func (s *Socket) Plain(bind bool, endpoint string) (string, error) {
	if s.tagging() {
		return "", errors.New("option QZMQ_PROPERTIES goes with QZMQ alone")
	}
	if s.topics != nil {
		return s.plainTopics(bind, endpoint)
	}
	library, err := s.library()
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	s.plain = true
	s.mu.Unlock()
	if !bind {
		return endpoint, library.Dial(endpoint)
	}
	if err := library.Listen(strings.ReplaceAll(endpoint, ":*", ":0")); err != nil {
		return "", err
	}
	scheme, _, _ := strings.Cut(endpoint, "://")
	return scheme + "://" + library.Addr().String(), nil
}

// plainTopics is Plain for an XPUB socket, which is to hear of subscriptions: the library gets the connections from here.
// Inside they look as those of QZMQ do.
func (s *Socket) plainTopics(bind bool, endpoint string) (string, error) {
	give, err := s.dialer()
	if err == nil && bind {
		var l *listener
		l, err = s.listen()
		give = l.push
	}
	if err != nil {
		return "", err
	}
	return plainly(s.context, bind, endpoint, func(w *wire) {
		peer, err := w.greet(s.kind)
		if err != nil {
			_ = w.conn.Close()
			return
		}
		s.serve(w, peer, give)
	})
}

// greet shakes hands as ZMTP NULL does, and gives the peer's properties.
func (w *wire) greet(kind string) ([]session.Property, error) {
	_ = w.conn.SetDeadline(time.Now().Add(plainHandshake))
	said, err := local.Begin(w.conn)
	if err != nil {
		return nil, err
	}
	if _, err := w.conn.Write(local.Ready([]local.Property{{Name: "Socket-Type", Value: []byte(kind)}})); err != nil {
		return nil, err
	}
	return bridge.FromLocal(said), w.conn.SetDeadline(time.Time{})
}

// plainly binds or connects without QZMQ, and serves every connection until its end; those to connect again and again.
func plainly(socket context.Context, bind bool, endpoint string, serve func(*wire)) (string, error) {
	at, err := network.Parse(endpoint)
	if err != nil {
		return "", err
	}
	if !bind {
		go dialPlainly(socket, at, serve)
		return endpoint, nil
	}
	listener, at, err := at.Listen()
	if err != nil {
		return "", err
	}
	context.AfterFunc(socket, func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(newWire(conn))
		}
	}()
	return at.String(), nil
}

func dialPlainly(socket context.Context, to network.Endpoint, serve func(*wire)) {
	for socket.Err() == nil {
		if conn, err := to.Dial(socket); err == nil {
			serve(newWire(conn))
		}
		bridge.Pause(socket, plainInterval)
	}
}
