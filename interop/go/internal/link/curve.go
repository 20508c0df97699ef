package link

import (
	"net"
	"sync"

	"qzmq.test/go/internal/binding"
	"qzmq.test/go/internal/session"
)

// A port that serves CURVE clients too lets the client speak first about the mechanism (spec/bindings.md, "dual-stack
// port").

// maxChoice is how many octets are read at most before it is known which mechanism a client names.
const maxChoice = 64

// undecided is a connection whose client has not named its mechanism. What is written beyond the octets that both
// mechanisms have in common is kept.
type undecided struct {
	net.Conn
	said []byte // by the client, read again by the session

	mu   sync.Mutex
	pass int // octets that may still be written; negative for any number
	kept []byte
}

func newUndecided(conn net.Conn) *undecided {
	return &undecided{Conn: conn, pass: binding.SharedGreeting}
}

// Read reads what was said before the mechanism was known, and then the connection.
func (u *undecided) Read(octets []byte) (int, error) {
	if len(u.said) == 0 {
		return u.Conn.Read(octets)
	}
	n := copy(octets, u.said)
	u.said = u.said[n:]
	return n, nil
}

// Write writes what may be written, and keeps the rest.
func (u *undecided) Write(octets []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.pass < 0 {
		return u.Conn.Write(octets)
	}
	now := min(u.pass, len(octets))
	u.pass -= now
	u.kept = append(u.kept, octets[now:]...)
	if n, err := u.Conn.Write(octets[:now]); err != nil {
		return n, err
	}
	return len(octets), nil
}

// CloseWrite ends this side's stream.
func (u *undecided) CloseWrite() error {
	if half, ok := u.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// choose reads until it is known which mechanism the client names. It writes what was kept if that is not CURVE
// (ZMTP-13). What could not be learned, or written, the next Read will tell.
func (u *undecided) choose() (curve bool) {
	buffer := make([]byte, maxChoice)
	for {
		n, err := u.Conn.Read(buffer[len(u.said):])
		u.said = buffer[:len(u.said)+n]
		curve, settled := binding.NamesCurve(u.said)
		switch {
		case settled && !curve:
			u.release()
			return false
		case settled:
			return true
		case err != nil:
			return false
		}
	}
}

func (u *undecided) release() {
	u.mu.Lock()
	defer u.mu.Unlock()
	_, _ = u.Conn.Write(u.kept)
	u.pass, u.kept = -1, nil
}

// yields says whether the link's client names CURVE. If so the session is over without a word (ZMTP-14), and the
// connection is the caller's. Until then the session's deadline holds (ZMTP-11).
func (l *Link) yields(conn *undecided) bool {
	l.arm()
	if l.flush() != nil || !conn.choose() {
		return false
	}
	l.timer.Stop()
	_ = l.session.Close()
	return l.ended.CompareAndSwap(nil, &session.Ended{Reason: session.Closed})
}
