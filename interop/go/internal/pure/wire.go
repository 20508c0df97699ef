package pure

import (
	"context"
	"net"
	"sync"
	"time"

	"qzmq.test/go/internal/network"
)

// plainInterval is between two attempts to reach a peer without QZMQ.
const plainInterval = 100 * time.Millisecond

// carrier is what a Stream needs of a link.Link.
type carrier interface {
	Next() ([]byte, error)
	Write(pieces ...[]byte) error
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

func (w *wire) Write(pieces ...[]byte) error {
	buffers := net.Buffers(pieces)
	_, err := buffers.WriteTo(w.conn)
	return err
}

func (w *wire) CloseWrite(linger time.Duration) {
	_ = w.conn.SetDeadline(time.Now().Add(linger))
	if half, ok := w.conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}

func (w *wire) Ending() <-chan struct{} { return w.over }
func (w *wire) Over() <-chan struct{}   { return w.over }

// Plain binds or connects without QZMQ: whatever octets come.
func (s *Stream) Plain(bind bool, endpoint string) (string, error) {
	at, err := network.Parse(endpoint)
	if err != nil {
		return "", err
	}
	if !bind {
		go s.dialPlain(at)
		return endpoint, nil
	}
	listener, at, err := at.Listen()
	if err != nil {
		return "", err
	}
	context.AfterFunc(s.context, func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go s.serve(newWire(conn))
		}
	}()
	return at.String(), nil
}

// dialPlain connects, and again after each loss.
func (s *Stream) dialPlain(to network.Endpoint) {
	for s.context.Err() == nil {
		if conn, err := to.Dial(s.context); err == nil {
			s.serve(newWire(conn))
		}
		pause(s.context, plainInterval)
	}
}
