package link_test

import (
	"crypto/rand"
	"io"
	"net"
	"testing"
	"time"

	"qzmq.test/go/internal/binding"
	"qzmq.test/go/internal/link"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/session"
	"qzmq.test/go/internal/tickets"
)

// acquainted gives a client that has a ticket, and its server.
func acquainted(t *testing.T) (client, server *session.Config) {
	t.Helper()
	policy, err := registry.Preset("performance")
	if err != nil {
		t.Fatal(err)
	}
	key, err := primitive.NewSigningKey(registry.Ed25519, [32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	server = &session.Config{
		Role: session.Server, Policy: policy, Key: key, SocketType: "PULL", Rand: rand.Reader, Now: time.Now,
		Issued: tickets.NewStore(time.Now), Tickets: 1, EarlyData: true,
	}
	client = &session.Config{
		Role: session.Client, Policy: policy, ServerPins: []session.Pin{primitive.Pin(key.SPKI())}, SocketType: "PUSH",
		Rand: rand.Reader, Now: time.Now, Held: tickets.NewCache(time.Now), EarlyData: true,
	}
	a, b := meet(t, client, server)
	write(t, a, "first")
	if got := next(t, b); got != "first" {
		t.Fatalf("%q arrived", got)
	}
	a.CloseWrite(time.Second)
	for _, l := range []*link.Link{b, a} {
		if _, err := l.Next(); err != io.EOF {
			t.Fatal(err)
		}
	}
	return client, server
}

// meet lets two links shake hands; early is what the client says as soon as it may.
func meet(t *testing.T, client, server *session.Config, early ...string) (a, b *link.Link) {
	t.Helper()
	near, far := connection(t)
	create := func(conn net.Conn, config *session.Config) *link.Link {
		s, err := session.New(config, binding.NewZMTP(config.Role == session.Server), "127.0.0.1")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return link.New(conn, s, link.Hooks{})
	}
	a, b = create(near, client), create(far, server)
	if len(early) > 0 {
		a.OnEarly(func(l *link.Link, peer session.Peer) {
			if len(peer.Metadata) == 0 {
				t.Error("nothing is remembered of the server")
			}
			for _, said := range early {
				if err := l.WriteEarly([]byte(said)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan error, 1)
	go func() { _, err := b.Handshake(); done <- err }()
	if _, err := a.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return a, b
}

// connection gives both ends of one.
func connection(t *testing.T) (near, far net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	if near, err = net.Dial("tcp", listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if far, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	return near, far
}

func write(t *testing.T, l *link.Link, text string) {
	t.Helper()
	if err := l.WriteEarly([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

func next(t *testing.T, l *link.Link) string {
	t.Helper()
	octets, err := l.Next()
	if err != nil {
		t.Fatal(err)
	}
	return string(octets)
}

// TestEarlyData: what was said early comes first where it was accepted, comes again where it was rejected, and does not
// where nobody knows (RES-16 to RES-18).
func TestEarlyData(t *testing.T) {
	for name, c := range map[string]struct {
		change func(server *session.Config)
		first  string
	}{
		"accepted": {func(*session.Config) {}, "early"},
		"rejected": {func(server *session.Config) { server.EarlyData = false }, "early"},
		"unknown":  {func(server *session.Config) { server.Issued = tickets.NewStore(time.Now) }, "late"},
	} {
		t.Run(name, func(t *testing.T) {
			client, server := acquainted(t)
			c.change(server)
			a, b := meet(t, client, server, "early")
			if err := a.Settled(); err != nil {
				t.Fatal(err)
			}
			if c.first == "early" {
				if got := next(t, b); got != "early" {
					t.Errorf("%q came first", got)
				}
			}
			write(t, a, "late")
			if got := next(t, b); got != "late" {
				t.Errorf("%q came then", got)
			}
		})
	}
}
