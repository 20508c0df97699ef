//go:build cgo

package libzmq_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"qzmq.test/go/internal/bridge"
	"qzmq.test/go/internal/libzmq"
	"qzmq.test/go/internal/link"
	"qzmq.test/go/internal/link/linktest"
	"qzmq.test/go/internal/network"
	"qzmq.test/go/internal/session"
)

// plain makes sessions without protection that say of themselves what a socket of that type would.
func plain(kind string) bridge.Options {
	own := session.Property{Name: []byte("Socket-Type"), Value: []byte(kind)}
	return bridge.Options{
		Make:     func(string, []session.Property, func() int) (link.Session, error) { return linktest.New(own), nil },
		HalfOpen: 10, ReconnectInterval: 20 * time.Millisecond,
	}
}

type world struct {
	*testing.T
	context *libzmq.Context
}

func begin(t *testing.T) world {
	t.Helper()
	context, err := libzmq.NewContext()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = context.Close() })
	return world{t, context}
}

func (w world) socket(kind string) *libzmq.Socket {
	w.Helper()
	s, err := w.context.NewSocket(kind)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _, _ = s.SetOption("LINGER", 0), s.Close() })
	return s
}

func (w world) bind(s *libzmq.Socket, kind, endpoint string) network.Endpoint {
	w.Helper()
	at, err := network.Parse(endpoint)
	if err == nil {
		at, err = s.Bind(at, plain(kind))
	}
	if err != nil {
		w.Fatal(err)
	}
	return at
}

func (w world) pair(bind, connect string) (server, client *libzmq.Socket) {
	w.Helper()
	server, client = w.socket(bind), w.socket(connect)
	at := w.bind(server, bind, "tcp://127.0.0.1:*")
	if err := client.Connect(at, plain(connect)); err != nil {
		w.Fatal(err)
	}
	return server, client
}

func (w world) receives(s *libzmq.Socket, want ...string) {
	w.Helper()
	parts, _, err := s.Receive(5 * time.Second)
	var got []string
	for _, part := range parts {
		got = append(got, string(part))
	}
	if err != nil || !slices.Equal(got, want) {
		w.Fatalf("got %q, %v; want %q", got, err, want)
	}
}

func (w world) send(s *libzmq.Socket, parts ...string) {
	w.Helper()
	var octets [][]byte
	for _, part := range parts {
		octets = append(octets, []byte(part))
	}
	if err := s.Send(octets, 5*time.Second); err != nil {
		w.Fatal(err)
	}
}

func TestPatterns(t *testing.T) {
	for _, types := range [][2]string{{"REP", "REQ"}, {"REQ", "REP"}, {"PULL", "PUSH"}, {"PUSH", "PULL"}, {"PAIR", "PAIR"}, {"DEALER", "DEALER"}, {"DEALER", "REP"}} {
		t.Run(types[0]+types[1], func(t *testing.T) {
			w := begin(t)
			bound, connected := w.pair(types[0], types[1])
			from, to := connected, bound
			if types[0] == "REQ" || types[0] == "PUSH" {
				from, to = bound, connected
			}
			envelope := []string{}
			if types[0] == "DEALER" && types[1] == "REP" {
				from, to, envelope = bound, connected, []string{""}
			}
			w.send(from, append(envelope, "one", "two")...)
			w.receives(to, "one", "two")
			if types[0] != "PUSH" && types[1] != "PUSH" {
				w.send(to, "three")
				w.receives(from, append(envelope, "three")...)
			}
		})
	}
}

func TestSubscriptions(t *testing.T) {
	w := begin(t)
	pub, sub := w.pair("XPUB", "SUB")
	if err := sub.SetOption("SUBSCRIBE", "a"); err != nil {
		t.Fatal(err)
	}
	w.receives(pub, "\x01a")
	w.send(pub, "b not wanted")
	w.send(pub, "a wanted")
	w.receives(sub, "a wanted")
}

func TestStream(t *testing.T) {
	w := begin(t)
	server, client := w.pair("STREAM", "STREAM")
	identity := func(s *libzmq.Socket) string {
		parts, _, err := s.Receive(5 * time.Second)
		if err != nil || len(parts) != 2 || len(parts[1]) != 0 {
			t.Fatal(parts, err)
		}
		return string(parts[0])
	}
	atClient := identity(client)
	atServer := identity(server)
	w.send(client, atClient, "octets")
	w.receives(server, atServer, "octets")
	w.send(server, atServer, "back")
	w.receives(client, atClient, "back")
}

func TestPropertiesAreThePeers(t *testing.T) {
	w := begin(t)
	server, client := w.pair("PULL", "PUSH")
	w.send(client, "hello")
	_, properties, err := server.Receive(5*time.Second, "Socket-Type", "User-Id")
	if err != nil || properties["Socket-Type"] != "PUSH" || len(properties) != 1 {
		t.Fatal(properties, err)
	}
}

func TestLingerDeliversTheTail(t *testing.T) {
	w := begin(t)
	server, client := w.pair("PULL", "PUSH")
	const count = 400
	payload := bytes.Repeat([]byte("x"), 20000)
	for range count {
		if err := client.Send([][]byte{payload}, time.Second); err != nil {
			t.Fatal(err)
		}
	}
	go func() { _ = client.Close() }()
	time.Sleep(50 * time.Millisecond)
	for n := range count {
		if _, _, err := server.Receive(5 * time.Second); err != nil {
			t.Fatalf("%d of %d: %v", n, count, err)
		}
	}
}

func TestServerComesLateAndComesBack(t *testing.T) {
	w := begin(t)
	probe := w.socket("PULL")
	at := w.bind(probe, "PULL", "tcp://127.0.0.1:*")
	_ = probe.Close()
	client := w.socket("PUSH")
	if err := client.Connect(at, plain("PUSH")); err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		w.send(client, fmt.Sprint("message ", round))
		server := w.socket("PULL")
		w.bind(server, "PULL", at.String())
		w.receives(server, fmt.Sprint("message ", round))
		if err := server.Close(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond) // or the next message may go into a connection that is being lost
	}
}

func TestManyGoroutinesOneSocket(t *testing.T) {
	w := begin(t)
	server, client := w.pair("DEALER", "DEALER")
	const each, goroutines = 200, 4
	var group sync.WaitGroup
	for range goroutines {
		group.Add(2)
		go func() {
			defer group.Done()
			for range each {
				parts, _, err := server.Receive(10 * time.Second)
				if err == nil {
					err = server.Send(parts, 10*time.Second)
				}
				if err != nil {
					t.Error(err)
				}
			}
		}()
		go func() {
			defer group.Done()
			for range each {
				err := client.Send([][]byte{[]byte("x")}, 10*time.Second)
				if err == nil {
					_, _, err = client.Receive(10 * time.Second)
				}
				if err != nil {
					t.Error(err)
				}
			}
		}()
	}
	group.Wait()
}

func TestWaiting(t *testing.T) {
	w := begin(t)
	server := w.socket("PULL")
	for _, limit := range []time.Duration{0, 30 * time.Millisecond} {
		began := time.Now()
		if _, _, err := server.Receive(limit); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
		if took := time.Since(began); took < limit || took > limit+time.Second {
			t.Error(took)
		}
	}
	time.AfterFunc(30*time.Millisecond, func() { _ = server.Close() })
	if _, _, err := server.Receive(-1); !errors.Is(err, libzmq.ErrClosed) {
		t.Error(err)
	}
}

func TestFinalRefusalStopsTrying(t *testing.T) {
	w := begin(t)
	server, client := w.socket("PULL"), w.socket("PUSH")
	at, _ := network.Parse("tcp://127.0.0.1:*")
	refusing := plain("PULL")
	var asked sync.Map
	refusing.Make = func(address string, _ []session.Property, _ func() int) (link.Session, error) {
		asked.Store(time.Now(), address)
		return linktest.New(session.Property{Name: []byte("refused")}), nil
	}
	at, err := server.Bind(at, refusing)
	if err == nil {
		err = client.Connect(at, plain("PUSH"))
	}
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond)
	n := 0
	asked.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("the client came %d times", n)
	}
}

func TestSendToNobody(t *testing.T) {
	router := begin(t).socket("ROUTER")
	if err := router.SetOption("ROUTER_MANDATORY", 1); err != nil {
		t.Fatal(err)
	}
	if err := router.Send([][]byte{[]byte("nobody"), []byte("hello")}, 0); !errors.Is(err, syscall.EHOSTUNREACH) {
		t.Fatalf("%T %[1]v, want EHOSTUNREACH", err)
	}
}
