//go:build cgo

package qzmq_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	zmq "github.com/pebbe/zmq4"

	qzmq "qzmq.test/go"
	"qzmq.test/go/internal/local"
)

// curveWorld has a CURVE key of the server, and one of a client that it admits.
type curveWorld struct {
	world
	context                        *zmq.Context
	serverPublic, serverSecret     string
	clientPublic, clientSecret     string
	strangerPublic, strangerSecret string
}

func beginCurve(t *testing.T, change ...func(*qzmq.Options)) curveWorld {
	t.Helper()
	w := curveWorld{world: begin(t, qzmq.BackendLibzmq, change...)}
	var err error
	if w.context, err = zmq.NewContext(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.context.Term() })
	w.serverPublic, w.serverSecret = curveKeys(t)
	w.clientPublic, w.clientSecret = curveKeys(t)
	w.strangerPublic, w.strangerSecret = curveKeys(t)
	return w
}

func curveKeys(t *testing.T) (public, secret string) {
	t.Helper()
	public, secret, err := zmq.NewCurveKeypair()
	if err != nil {
		t.Fatal(err)
	}
	return public, secret
}

// both is a socket that serves both mechanisms.
func (w curveWorld) both(kind qzmq.SocketType, set ...any) qzmq.Socket {
	w.Helper()
	return w.bound(kind, append([]any{
		"QZMQ_CURVE_SECRETKEY", w.serverSecret, "QZMQ_CURVE_CLIENTS", []string{w.clientPublic},
	}, set...)...)
}

// old is a libzmq socket that connects by CURVE with that key.
func (w curveWorld) old(kind zmq.Type, to qzmq.Socket, public, secret string) *zmq.Socket {
	w.Helper()
	s, err := w.context.NewSocket(kind)
	if err == nil {
		err = errors.Join(s.ClientAuthCurve(w.serverPublic, public, secret), s.SetLinger(0), s.SetRcvtimeo(patience),
			s.SetSndtimeo(patience), s.Connect(to.LastEndpoint()))
	}
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = s.Close() })
	return s
}

func (w curveWorld) admitted(kind zmq.Type, to qzmq.Socket) *zmq.Socket {
	w.Helper()
	return w.old(kind, to, w.clientPublic, w.clientSecret)
}

// try sends what is not to arrive. A socket that has been refused already does not take it.
func try(s *zmq.Socket) { _, _ = s.SendMessageDontwait("refused") }

// TestBothMechanisms: clients of either are served by one port, and the application sees which it was (ZMTP-14, ZMTP-16).
func TestBothMechanisms(t *testing.T) {
	w := beginCurve(t)
	server := w.both(qzmq.REP)
	old, client := w.admitted(zmq.REQ, server), w.connected(qzmq.REQ, server)
	for range 3 {
		if _, err := old.SendMessage("by", "CURVE"); err != nil {
			t.Fatal(err)
		}
		message := w.receive(server, "by", "CURVE")
		for name, want := range map[string]string{
			"X-QZMQ-Mechanism": "CURVE", "User-Id": w.clientPublic, "X-QZMQ-Peer": "", "X-QZMQ-Suite": "",
			"X-QZMQ-Peer-Address": "", "Socket-Type": "REQ",
		} {
			if got, has := message.Properties[name]; got != want || !has {
				t.Errorf("%s is %q, %v", name, got, has)
			}
		}
		w.send(server, "answer")
		if answer, err := old.RecvMessage(0); err != nil || answer[0] != "answer" {
			t.Fatal(answer, err)
		}
		w.send(client, "by QZMQ")
		if message := w.receive(server, "by QZMQ"); message.Properties["X-QZMQ-Mechanism"] != "QZMQ" {
			t.Error(message.Properties)
		}
		w.send(server, "answer")
		w.receive(client, "answer")
	}
	stats := server.GetMetrics()
	if stats.CurveAdmitted != 1 || stats.CurveRefused != 0 || stats.HandshakesCompleted != 1 || stats.HandshakesFailed != 0 {
		t.Errorf("%+v", stats)
	}
}

// TestCurveCarriesAll: much, both ways at once, and the tail of a socket that closes.
func TestCurveCarriesAll(t *testing.T) {
	w := beginCurve(t)
	server := w.both(qzmq.PUSH, "SNDHWM", 0)
	old := w.admitted(zmq.PULL, server)
	const count = 400
	for n := range count {
		w.send(server, fmt.Sprint(n), strings.Repeat("x", 20000))
	}
	go func() { _ = server.Close() }()
	time.Sleep(50 * time.Millisecond)
	for n := range count {
		message, err := old.RecvMessage(0)
		if err != nil || message[0] != fmt.Sprint(n) || len(message[1]) != 20000 {
			t.Fatalf("%d of %d: %v", n, count, err)
		}
	}
}

// TestCurveStranger: who is not on the list is refused by CURVE, and the list holds at once (ZMTP-15).
func TestCurveStranger(t *testing.T) {
	w := beginCurve(t)
	server := w.both(qzmq.PULL)
	stranger := w.old(zmq.PUSH, server, w.strangerPublic, w.strangerSecret)
	try(stranger)
	w.until(func() bool { return server.GetMetrics().CurveRefused > 0 })
	w.silent(server)
	if err := server.SetOption("QZMQ_CURVE_CLIENTS", []string{w.strangerPublic}); err != nil {
		t.Fatal(err)
	}
	friend := w.old(zmq.PUSH, server, w.strangerPublic, w.strangerSecret)
	if _, err := friend.SendMessage("friend"); err != nil {
		t.Fatal(err)
	}
	w.receive(server, "friend")
	try(w.admitted(zmq.PUSH, server))
	w.silent(server)
}

// TestCurveWithoutList: a port that was given no list admits no CURVE client (ZMTP-15).
func TestCurveWithoutList(t *testing.T) {
	w := beginCurve(t)
	server := w.bound(qzmq.PULL, "QZMQ_CURVE_SECRETKEY", w.serverSecret)
	try(w.admitted(zmq.PUSH, server))
	w.until(func() bool { return server.GetMetrics().CurveRefused > 0 })
	w.silent(server)
}

// TestSocketsBesideCurve: the lists of sockets are their own, and a port that did not ask for it serves no CURVE,
// though another of the same socket does.
func TestSocketsBesideCurve(t *testing.T) {
	w := beginCurve(t)
	first := w.bound(qzmq.PULL, "QZMQ_CURVE_CLIENTS", []string{w.clientPublic})
	refused, client := w.admitted(zmq.PUSH, first), w.connected(qzmq.PUSH, first)
	if err := first.SetOption("QZMQ_CURVE_SECRETKEY", w.serverSecret); err != nil {
		t.Fatal(err)
	}
	if err := first.Bind("tcp://127.0.0.1:*"); err != nil {
		t.Fatal(err)
	}
	second := w.both(qzmq.PULL, "QZMQ_CURVE_CLIENTS", []string{w.strangerPublic})
	for _, client := range []*zmq.Socket{
		refused, w.old(zmq.PUSH, first, w.strangerPublic, w.strangerSecret), w.admitted(zmq.PUSH, second),
	} {
		try(client)
	}
	w.silent(first)
	w.silent(second)
	if _, err := w.admitted(zmq.PUSH, first).SendMessage("CURVE"); err != nil {
		t.Fatal(err)
	}
	w.receive(first, "CURVE")
	w.send(client, "QZMQ")
	if message := w.receive(first, "QZMQ"); message.Properties["User-Id"] != "" {
		t.Error(message.Properties)
	}
	if err := first.Bind("tcp://127.0.0.1:*"); err == nil || !strings.Contains(err.Error(), "serves CURVE clients") {
		t.Error(err)
	}
}

// TestNoThirdMechanism: a client of NULL is closed by the rules of QZMQ (ZMTP-12), and one of QZMQ that waits with its
// greeting is when the handshake time is over (ZMTP-11, ZMTP-13).
func TestNoThirdMechanism(t *testing.T) {
	const limit = 300 * time.Millisecond
	w := beginCurve(t, func(o *qzmq.Options) { o.Timeouts.Handshake = limit })
	server := w.both(qzmq.PULL)
	greeting := append([]byte{0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 0}, make([]byte, 52)...)
	for name, c := range map[string]struct {
		says  []byte
		hears int
		slow  bool
	}{
		"NULL":            {append(append(greeting[:12:12], "NULL"...), greeting[16:]...), 64, false},
		"HTTP":            {[]byte("GET / HTTP/1.1\r\n\r\n"), 64, false},
		"nothing":         {nil, 11, true},
		"half":            {append(greeting[:12:12], "CURVE"...), 11, true},
		"CURVE in ZMTP 2": {append(append(append(greeting[:10:10], 1, 0), "CURVE"...), greeting[17:]...), 64, false},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", server.LastEndpoint()[len("tcp://"):])
			if err == nil {
				_, err = conn.Write(c.says)
			}
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			began := time.Now()
			_ = conn.SetDeadline(began.Add(patience))
			heard, err := io.ReadAll(conn)
			if took := time.Since(began); len(heard) != c.hears || err != nil || (took > limit/2) != c.slow {
				t.Errorf("heard %d octets in %v, %v", len(heard), took, err)
			}
		})
	}
	w.silent(server)
}

// TestCurveEndsForBoth: what libzmq has ended does not stay open because the client keeps its side, and a client that
// ends its side is ended.
func TestCurveEndsForBoth(t *testing.T) {
	w := beginCurve(t)
	server := w.both(qzmq.PULL)
	f := newForger(w, server.LastEndpoint())
	f.greet()
	f.say(local.Command(nil, "INITIATE", make([]byte, 300)))
	if _, err := io.Copy(io.Discard, f); err != nil {
		t.Fatal(err)
	}
	w.until(func() bool { _, err := f.Write([]byte{0}); return err != nil })

	f = newForger(w, server.LastEndpoint())
	f.greet()
	f.initiate(local.Metadata([]local.Property{{Name: "Socket-Type", Value: []byte("PUSH")}}))
	f.message("last")
	_ = f.Conn.(*net.TCPConn).CloseWrite()
	w.receive(server, "last")
	if _, err := io.Copy(io.Discard, f); err != nil {
		t.Fatal(err)
	}
}

// TestCurveIsAskedForWhereItCannotBe: what cannot serve CURVE clients says so.
func TestCurveIsAskedForWhereItCannotBe(t *testing.T) {
	w := beginCurve(t)
	pure := begin(t, qzmq.BackendGo)
	for name, c := range map[string]struct {
		socket qzmq.Socket
		want   string
	}{
		"go-zeromq":   {pure.socket(qzmq.PULL, "QZMQ_SECRETKEY", w.secret), "libzmq"},
		"STREAM":      {w.socket(qzmq.STREAM, "QZMQ_SECRETKEY", w.secret), "STREAM"},
		"client":      {w.socket(qzmq.PULL, "QZMQ_SERVERKEY", w.public, "QZMQ_SERVER", false), "client"},
		"key":         {w.socket(qzmq.PULL, "QZMQ_SECRETKEY", w.secret), "secret key"},
		"no security": {w.socket(qzmq.PULL, "QZMQ_SECURITY", qzmq.Security{Plaintext: true}), "Plaintext"},
	} {
		t.Run(name, func(t *testing.T) {
			secret := w.serverSecret
			if name == "key" {
				secret = "too short"
			}
			if err := c.socket.SetOption("QZMQ_CURVE_SECRETKEY", secret); err != nil {
				t.Fatal(err)
			}
			if err := c.socket.Bind("tcp://127.0.0.1:*"); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Error(err)
			}
			if name == "go-zeromq" {
				if err := c.socket.Bind("tcp://127.0.0.1:*"); !errors.Is(err, errors.ErrUnsupported) {
					t.Error(err)
				}
			}
		})
	}
}

func (w world) until(condition func() bool) {
	w.Helper()
	for began := time.Now(); !condition(); time.Sleep(time.Millisecond) {
		if time.Since(began) > patience {
			w.Fatal("it did not happen")
		}
	}
}

// silent fails if anything reaches the socket soon.
func (w world) silent(s qzmq.Socket) {
	w.Helper()
	if message, err := s.RecvMessage(200 * time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		w.Errorf("got %q, %v", message.Parts, err)
	}
}
