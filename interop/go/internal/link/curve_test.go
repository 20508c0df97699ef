package link_test

import (
	"io"
	"net"
	"testing"
	"time"

	"qzmq.test/go/internal/binding"
	"qzmq.test/go/internal/link"
	"qzmq.test/go/internal/link/linktest"
	"qzmq.test/go/internal/session"
)

// TestClientsThatNameNothing: until a client has named its mechanism it hears what both have in common, for the time of
// a handshake, and counts as one (ZMTP-11, SEC-3).
func TestClientsThatNameNothing(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	const most = 3
	acceptor := &link.Acceptor{
		Listener: listener, HalfOpen: most,
		Make: func(string) (link.Session, error) {
			return linktest.New(session.Property{Name: []byte("a name longer than eleven octets")}), nil
		},
		Serve: func(*link.Link, session.Peer) { t.Error("nobody is there to be served") },
		Curve: func(net.Conn, []byte) { t.Error("nobody named CURVE") },
	}
	go acceptor.Run()
	defer func() { _ = acceptor.Close() }()
	began := time.Now()
	var conns [most + 1]net.Conn
	for i := range conns {
		if conns[i], err = net.Dial("tcp", listener.Addr().String()); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conns[i].Close() }()
		if _, err := io.ReadFull(conns[i], make([]byte, binding.SharedGreeting)); err != nil {
			t.Fatal(err)
		}
	}
	for i, conn := range conns {
		_ = conn.SetReadDeadline(began.Add(10 * linktest.Deadline))
		rest, err := io.ReadAll(conn)
		took := time.Since(began)
		if len(rest) > 0 || err != nil || (took < linktest.Deadline) != (i == 0) {
			t.Errorf("connection %d: %q and %v after %v", i, rest, err, took)
		}
	}
}
