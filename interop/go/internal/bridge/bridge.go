// Package bridge joins an application's own ZeroMQ socket to QZMQ links, one private unix-domain connection for each.
// The socket binds or connects the private path; what it says there is plain ZMTP NULL, or any octets of a STREAM
// socket, and never leaves the process.
package bridge

import (
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"qzmq.test/go/internal/link"
	"qzmq.test/go/internal/local"
	"qzmq.test/go/internal/session"
)

// What is read of the application's socket at once grows from smallBuffer to bigBuffer, about what its kernel buffer
// holds.
const (
	smallBuffer = 8 << 10
	bigBuffer   = 256 << 10
)

// Unlimited stands for a linger time without an end.
const Unlimited = 24 * time.Hour

// Hop is the private side of one socket: a directory that only this user may enter, and the joints that are alive.
type Hop struct {
	directory string
	raw       bool // a STREAM socket, which says nothing before its octets

	mu     sync.Mutex
	linger time.Duration
	joints int           // connections of the socket that are not over
	none   chan struct{} // closed, once somebody waits for it, when there are none
	next   int
}

// NewHop makes the private directory of a socket. A raw hop is a STREAM socket's.
func NewHop(raw bool) (*Hop, error) {
	directory, err := os.MkdirTemp("", "qzmq-") // mode 0700
	if err != nil {
		return nil, err
	}
	return &Hop{directory: directory, raw: raw, linger: Unlimited}, nil
}

// path returns a new path in the private directory.
func (h *Hop) path() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.next++
	return filepath.Join(h.directory, strconv.Itoa(h.next))
}

// SetLinger says how long a link waits for its last octets to arrive, after the socket has closed; negative is unlimited.
func (h *Hop) SetLinger(linger time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if linger < 0 {
		linger = Unlimited
	}
	h.linger = linger
}

func (h *Hop) lingerTime() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.linger
}

func (h *Hop) enter() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.joints++
}

func (h *Hop) leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.joints--
	if h.joints == 0 && h.none != nil {
		close(h.none)
		h.none = nil
	}
}

// Revive waits until the socket has a connection again, up to limit or the linger time: a socket that closes just after
// it lost its connection makes one more if it has something left to say.
func (h *Hop) Revive(limit time.Duration) {
	for end := time.Now().Add(min(limit, h.lingerTime())); h.idle() && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
}

func (h *Hop) idle() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.joints == 0
}

// Wait returns when every link has delivered what it had and is closed, or when the linger time is over.
func (h *Hop) Wait() {
	h.mu.Lock()
	if h.joints == 0 {
		h.mu.Unlock()
		return
	}
	if h.none == nil {
		h.none = make(chan struct{})
	}
	none, linger := h.none, h.linger
	h.mu.Unlock()
	select {
	case <-none:
	case <-time.After(linger):
	}
}

// Remove removes the private directory.
func (h *Hop) Remove() error { return os.RemoveAll(h.directory) }

// join carries octets both ways until both sides have ended.
func (h *Hop) join(l *link.Link, conn *private, from *reader) {
	f := &flight{hop: h, conn: conn, from: from}
	f.depart(l)
	f.land(l)
}

// inward carries what the peer says to the application's socket.
func inward(l *link.Link, conn *private) {
	broken := false
	for {
		octets, err := l.Next()
		if err != nil {
			_ = conn.CloseWrite()
			return
		}
		if !broken {
			_, err = conn.Write(octets)
			broken = err != nil // read on: the session is to end in order
		}
	}
}

// outward carries what the application's socket says to the peer, and closes the session behind the last of it.
func (h *Hop) outward(l *link.Link, from *reader) {
	broken := false
	for {
		octets, err := from.next()
		if len(octets) > 0 && !broken {
			broken = l.WriteEarly(octets) != nil // read on: libzmq is to end in order
		}
		if err != nil {
			_ = l.Settled() // what was said early is to arrive
			l.CloseWrite(h.lingerTime())
			return
		}
	}
}

// reader reads the application's socket into one buffer, which grows while it is filled. Its first read begins at
// once, so that it is known when the socket closes before the peer is there.
type reader struct {
	conn   *private
	buffer []byte
	n      int
	err    error
	first  chan struct{} // closed when the first read is over
	begun  bool          // the first read's octets were handed out
}

// newReader begins to read. It calls gone if the socket closes before it has said anything.
func newReader(conn *private, gone func()) *reader {
	r := &reader{conn: conn, buffer: make([]byte, smallBuffer), first: make(chan struct{})}
	go func() {
		r.n, r.err = conn.Read(r.buffer)
		if r.err != nil {
			gone()
		}
		close(r.first)
	}()
	return r
}

func (r *reader) next() ([]byte, error) {
	if !r.begun {
		<-r.first
		r.begun = true
		return r.buffer[:r.n], r.err
	}
	if r.n == len(r.buffer) && r.n < bigBuffer {
		r.buffer = make([]byte, min(4*r.n, bigBuffer))
	}
	r.n, r.err = r.conn.Read(r.buffer)
	return r.buffer[:r.n], r.err
}

// FromLocal gives properties of READY as the session has them.
func FromLocal(properties []local.Property) []session.Property {
	out := make([]session.Property, len(properties))
	for i, p := range properties {
		out[i] = session.Property{Name: []byte(p.Name), Value: p.Value}
	}
	return out
}

// ToLocal gives properties that the session has as READY writes them.
func ToLocal(properties []session.Property) []local.Property {
	out := make([]local.Property, len(properties))
	for i, p := range properties {
		out[i] = local.Property{Name: string(p.Name), Value: p.Value}
	}
	return out
}

func ready(peer session.Peer) []byte { return local.Ready(ToLocal(peer.Metadata)) }

// abandon ends a session that has nobody to speak for.
func (h *Hop) abandon(l *link.Link) {
	l.CloseWrite(time.Second)
	for {
		if _, err := l.Next(); err != nil {
			return
		}
	}
}
