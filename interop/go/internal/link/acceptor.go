package link

import (
	"net"
	"sync"
	"time"

	"qzmq.test/go/internal/network"
	"qzmq.test/go/internal/session"
)

// Factory makes the session of a connection with that peer address. It fails for a local fault only.
type Factory func(peerAddress string) (Session, error)

// Acceptor serves a bound endpoint: every connection becomes a Link, and Serve gets those whose handshake succeeded.
type Acceptor struct {
	Listener net.Listener
	Make     Factory
	Hooks    Hooks
	HalfOpen int // how many unfinished handshakes there may be (SEC-3)
	Serve    func(*Link, session.Peer)

	// Curve serves a client that names CURVE and has said that much; the first binding.SharedGreeting octets were sent to
	// it. Nil has every client be QZMQ's (ZMTP-12).
	Curve func(conn net.Conn, said []byte)

	mu         sync.Mutex
	unfinished []*Link // the oldest first
}

// Close accepts no more, and gives up every handshake that is not over. Established sessions go on.
func (a *Acceptor) Close() error {
	err := a.Listener.Close()
	a.mu.Lock()
	unfinished := a.unfinished
	a.unfinished, a.HalfOpen = nil, 0 // what comes late is given up at once
	a.mu.Unlock()
	for _, l := range unfinished {
		go l.CloseWrite(tail)
	}
	return err
}

// Run accepts until the listener is closed.
func (a *Acceptor) Run() {
	for {
		conn, err := a.Listener.Accept()
		switch {
		case err == nil:
			go a.handshake(conn)
		case isTemporary(err):
			time.Sleep(10 * time.Millisecond)
		default:
			return
		}
	}
}

func isTemporary(err error) bool {
	temporary, ok := err.(interface{ Temporary() bool })
	return ok && temporary.Temporary()
}

func (a *Acceptor) handshake(conn net.Conn) {
	s, err := a.Make(network.PeerAddress(conn))
	if err != nil {
		_ = conn.Close()
		return
	}
	var choice *undecided
	if a.Curve != nil {
		choice = newUndecided(conn)
		conn = choice
	}
	l := New(conn, s, a.Hooks)
	a.begin(l)
	if choice != nil && l.yields(choice) {
		a.finish(l)
		a.Curve(choice.Conn, choice.said)
		return
	}
	peer, err := l.Handshake()
	a.finish(l)
	if err == nil {
		a.Serve(l, peer)
	}
}

// begin counts an unfinished handshake, and ends the oldest if there are too many (SEC-3).
func (a *Acceptor) begin(l *Link) {
	a.mu.Lock()
	a.unfinished = append(a.unfinished, l)
	var oldest *Link
	if len(a.unfinished) > a.HalfOpen {
		oldest, a.unfinished = a.unfinished[0], a.unfinished[1:]
	}
	a.mu.Unlock()
	if oldest != nil {
		oldest.CloseWrite(tail)
	}
}

func (a *Acceptor) finish(l *Link) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, other := range a.unfinished {
		if other == l {
			a.unfinished = append(a.unfinished[:i], a.unfinished[i+1:]...)
			return
		}
	}
}

// Unfinished is the number of handshakes that are not over: a server of policy under_load looks at it.
func (a *Acceptor) Unfinished() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.unfinished)
}
