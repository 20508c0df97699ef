package qzmq_test

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	qzmq "qzmq.test/go"
)

// gate passes connections on to a server, and can keep what the server says behind its greeting.
type gate struct {
	*testing.T
	to       string
	listener net.Listener

	mu    sync.Mutex
	open  chan struct{} // what the server says passes when it is closed
	conns []net.Conn
}

func newGate(t *testing.T, to string) *gate {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{T: t, to: to, listener: listener, open: make(chan struct{})}
	close(g.open)
	t.Cleanup(func() { _ = listener.Close(); g.cut() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go g.pass(conn)
		}
	}()
	return g
}

func (g *gate) pass(client net.Conn) {
	server, err := net.Dial("tcp", g.to)
	if err != nil {
		_ = client.Close()
		return
	}
	g.mu.Lock()
	g.conns = append(g.conns, client, server)
	open := g.open
	g.mu.Unlock()
	go func() { _, _ = io.Copy(server, client); _ = server.(*net.TCPConn).CloseWrite() }()
	_, _ = io.CopyN(client, server, 64)
	<-open
	_, _ = io.Copy(client, server)
	_ = client.(*net.TCPConn).CloseWrite()
}

// cut ends the connections.
func (g *gate) cut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, conn := range g.conns {
		_ = conn.Close()
	}
	g.conns = nil
}

// shut lets nothing through for later connections until release is called.
func (g *gate) shut() (release func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	open := make(chan struct{})
	g.open = open
	return sync.OnceFunc(func() { close(open) })
}

// early is a client that has a ticket and no connection, and its server behind a gate that is shut.
type early struct {
	world
	gate           *gate
	server, client qzmq.Socket
	release        func()
	undetermined   chan struct{}
}

// comeBack makes one. Again is what the server accepts when the client comes again.
func comeBack(t *testing.T, backend qzmq.Backend, pair [2]qzmq.SocketType, again func(*qzmq.Options)) early {
	t.Helper()
	e := early{undetermined: make(chan struct{}, 1)}
	store := qzmq.NewTicketStore()
	change := func(o *qzmq.Options) {
		o.Resumption.EarlyData, o.Resumption.Store = true, store
		o.Timeouts.Reconnect = 10 * time.Millisecond
		o.Observe = func(_ qzmq.Socket, event qzmq.Event) {
			if event.Kind == qzmq.EventUndetermined {
				e.undetermined <- struct{}{}
			}
		}
	}
	e.world = begin(t, backend, change)
	first := e.bound(pair[0])
	endpoint := first.LastEndpoint()
	e.gate = newGate(t, endpoint[len("tcp://"):])
	e.client = e.socket(pair[1], "QZMQ_SERVERKEY", e.public)
	if err := e.client.Connect("tcp://" + e.gate.listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	e.send(e.client, "first")
	message := e.last(first, "first")
	if pair[1] == qzmq.REQ {
		e.sendBack(first, message, "answer")
		e.receive(e.client, "answer")
	}
	time.Sleep(50 * time.Millisecond) // the tickets come
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	e.release = e.gate.shut()
	t.Cleanup(e.release)
	e.gate.cut()

	other := begin(t, backend, change, again)
	other.secret = e.secret
	e.server = other.socket(pair[0], "QZMQ_SECRETKEY", e.secret)
	if err := e.server.Bind(endpoint); err != nil {
		t.Fatal(err)
	}
	for len(e.client.Peers()) > 0 {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond) // the library knows too
	return e
}

// last receives a message whose last part is text.
func (w world) last(s qzmq.Socket, text string) qzmq.Message {
	w.Helper()
	message, err := s.RecvMessage(patience)
	if err != nil || string(message.Parts[len(message.Parts)-1]) != text {
		w.Fatalf("got %q, %v; want %q", message.Parts, err, text)
	}
	return message
}

// sendBack sends the text where the message came from.
func (w world) sendBack(s qzmq.Socket, message qzmq.Message, text string) {
	w.Helper()
	message.Parts[len(message.Parts)-1] = []byte(text)
	if err := s.TrySend(message.Parts, patience); err != nil {
		w.Fatal(err)
	}
}

var kinds = map[string][2]qzmq.SocketType{
	"PUSH": {qzmq.PULL, qzmq.PUSH}, "REQ": {qzmq.REP, qzmq.REQ}, "DEALER": {qzmq.ROUTER, qzmq.DEALER},
}

// TestEarlyData: a client with a ticket sends before the server has answered, and once (RES-14 to RES-18).
func TestEarlyData(t *testing.T) {
	everyBackend(t, func(t *testing.T, backend qzmq.Backend) {
		for name, pair := range kinds {
			for status, again := range map[string]func(*qzmq.Options){
				"accepted": func(*qzmq.Options) {},
				"rejected": func(o *qzmq.Options) { o.Resumption.EarlyData = false },
			} {
				t.Run(name+"/"+status, func(t *testing.T) {
					e := comeBack(t, backend, pair, again)
					e.send(e.client, "early") // and nobody has answered
					e.release()
					message := e.last(e.server, "early")
					if again, err := e.server.RecvMessage(50 * time.Millisecond); err == nil {
						t.Errorf("%q came again", again.Parts)
					}
					if name == "PUSH" {
						return
					}
					e.sendBack(e.server, message, "answer")
					e.receive(e.client, "answer")
				})
			}
		}
	})
}

// TestEarlyDataUndetermined: what nobody knows the fate of is reported and not sent again (RES-18).
func TestEarlyDataUndetermined(t *testing.T) {
	everyBackend(t, func(t *testing.T, backend qzmq.Backend) {
		for name, end := range map[string]func(e early){
			"the ticket is unknown": func(e early) { e.release() },
			"the connection is cut": func(e early) { time.Sleep(50 * time.Millisecond); e.gate.cut(); e.release() },
		} {
			t.Run(name, func(t *testing.T) {
				e := comeBack(t, backend, kinds["PUSH"], func(o *qzmq.Options) { o.Resumption.Store = nil })
				e.send(e.client, "early")
				end(e)
				select {
				case <-e.undetermined:
				case <-time.After(patience):
					t.Fatal("nothing was reported")
				}
				e.gate.shut()()
				for {
					e.send(e.client, "late") // what goes into a connection that is being lost is lost
					message, err := e.server.RecvMessage(50 * time.Millisecond)
					if err != nil {
						continue
					}
					if string(message.Parts[0]) != "late" {
						t.Errorf("%q came first", message.Parts)
					}
					return
				}
			})
		}
	})
}

// TestEarlyDataArrivesAfterClose: a socket that closes waits for what it said early, as for anything else.
func TestEarlyDataArrivesAfterClose(t *testing.T) {
	everyBackend(t, func(t *testing.T, backend qzmq.Backend) {
		e := comeBack(t, backend, kinds["PUSH"], func(*qzmq.Options) {})
		e.send(e.client, "early")
		time.AfterFunc(100*time.Millisecond, e.release)
		if err := e.client.Close(); err != nil {
			t.Fatal(err)
		}
		e.receive(e.server, "early")
	})
}
