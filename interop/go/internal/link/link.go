// Package link is a QZMQ session on a network connection: it reads and writes, keeps the session's deadlines, and ends
// the connection as the session ended.
package link

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"qzmq.test/go/internal/session"
)

// The buffers grow from smallBuffer to bigBuffer while the peer fills them, and beyond only for a single message.
const (
	smallBuffer = 8 << 10
	bigBuffer   = 256 << 10
)

// look is how long after traffic the session's clock looks at it: a peer's steps may call for a new generation (ROT-15).
const look = time.Second

// tail is how long a session that is over waits for its last octets to go and for the peer to close.
const tail = time.Second

// Session is what a Link needs of a session.Conn; see there for what each method means.
type Session interface {
	Receive(data []byte) []session.Event
	Open(dst, src []byte) (out []byte, consumed int, events []session.Event)
	Output() []byte
	Seal(dst, octets []byte) (out []byte, err error)
	SealedSize(n int) int
	Close() []session.Event
	EndOfFile() []session.Event
	Answer(verdict session.Verdict) []session.Event
	Tick() []session.Event
	NextDeadline() (time.Time, bool)
	Rekey(generation bool) error
	Steps() (sent, received uint64)
	Export(label string, context []byte, n int) ([]byte, error)
}

// Hooks are what a Link asks and tells its owner. A nil hook is not called. They may be called from any goroutine.
type Hooks struct {
	Zap   func(session.Question) session.Verdict // asks ZAP about a client, and may take its time
	Event func(*Link, session.Event)             // hears of every event but Received
}

// EndError says how a session ended that was not closed in order.
type EndError struct{ session.Ended }

func (e *EndError) Error() string {
	if e.Alert != nil {
		return e.Reason.String() + ": " + e.Alert.Error()
	}
	return e.Reason.String()
}

// Link is one session on its connection. One goroutine reads, with Handshake and then Next; any may call the rest.
type Link struct {
	conn    net.Conn
	session Session
	hooks   Hooks

	in         []byte // received octets: in[start:end] are not opened yet
	start, end int
	plain      []byte // what Next handed out last
	held       []byte // application octets that came with the handshake

	writing sync.Mutex  // from Output or Seal to the end of the write
	pending atomic.Bool // somebody who could not have the lock wants Output to be written
	out     []byte

	early   early
	settled chan struct{} // closed when the session is established and what became of early data is settled

	peer           *session.Peer // of the reading goroutine
	sent, received atomic.Uint64 // application octets

	ended   atomic.Pointer[session.Ended]
	ending  chan struct{} // closed when the session has ended
	over    chan struct{} // closed when the connection is
	timer   *time.Timer
	looking atomic.Bool // timer ends after look or sooner
	closing sync.Once
}

// New puts a session on a connection. The connection is the Link's from now on.
func New(conn net.Conn, s Session, hooks Hooks) *Link {
	l := &Link{conn: conn, session: s, hooks: hooks, ending: make(chan struct{}), over: make(chan struct{}),
		settled: make(chan struct{})}
	l.timer = time.AfterFunc(time.Hour, l.tick)
	return l
}

// Counts are what went over a link: application octets, and steps of the keys (ROT-2).
type Counts struct{ Sent, Received, StepsSent, StepsReceived uint64 }

// Counts counts what has gone over the link.
func (l *Link) Counts() Counts {
	counts := Counts{Sent: l.sent.Load(), Received: l.received.Load()}
	counts.StepsSent, counts.StepsReceived = l.session.Steps()
	return counts
}

// RemoteAddr is the peer's network address.
func (l *Link) RemoteAddr() net.Addr { return l.conn.RemoteAddr() }

// Ending is closed when the session has ended; what is written then is lost.
func (l *Link) Ending() <-chan struct{} { return l.ending }

// Over is closed when the connection is.
func (l *Link) Over() <-chan struct{} { return l.over }

// Handshake goes on until the session is established. Its error is an *EndError; the connection is closed then, or soon.
func (l *Link) Handshake() (session.Peer, error) {
	l.arm()
	for {
		if err := l.flush(); err != nil {
			l.handle(l.session.EndOfFile())
		}
		if l.ended.Load() != nil {
			l.loseEarly()
			return session.Peer{}, l.finish()
		}
		if l.peer != nil {
			l.arm()
			l.settle()
			return *l.peer, nil
		}
		l.announce()
		if err := l.fill(); err != nil {
			l.lose()
			continue
		}
		octets := l.in[l.start:l.end]
		l.start = l.end
		l.handle(l.session.Receive(octets))
	}
}

// Next returns the next application octets, valid until the call after it. It fails with io.EOF if the peer closed the
// session in order, and with an *EndError else.
func (l *Link) Next() ([]byte, error) {
	if len(l.held) > 0 {
		held := l.held
		l.held = nil
		return held, nil
	}
	for {
		if l.start < l.end {
			if octets := l.open(); len(octets) > 0 {
				return octets, nil
			}
		}
		if l.ended.Load() != nil {
			return nil, l.finish()
		}
		if err := l.fill(); err != nil {
			l.lose()
		}
	}
}

// open opens the whole messages that were received.
func (l *Link) open() []byte {
	if need := l.end - l.start; cap(l.plain) < need {
		l.plain = make([]byte, 0, cap(l.in))
	}
	octets, consumed, events := l.session.Open(l.plain[:0], l.in[l.start:l.end])
	l.plain = octets[:0]
	l.opened(len(octets), consumed, events)
	return octets
}

// opened notes that so many octets came out of so many that were received.
func (l *Link) opened(octets, consumed int, events []session.Event) {
	l.received.Add(uint64(octets))
	l.start += consumed
	l.handle(events)
	l.kick()
	if !l.looking.Load() {
		l.looking.Store(true)
		l.arm()
	}
}

// fill reads once from the connection, behind what is not opened yet.
func (l *Link) fill() error {
	full := l.end == len(l.in)
	if l.start > 0 && (l.start == l.end || len(l.in)-l.end < len(l.in)/4) {
		l.end = copy(l.in, l.in[l.start:l.end])
		l.start = 0
	}
	if l.end == len(l.in) || full && len(l.in) < bigBuffer {
		grown := make([]byte, max(smallBuffer, 2*len(l.in)))
		l.end = copy(grown, l.in[l.start:l.end])
		l.start, l.in = 0, grown
	}
	n, err := l.conn.Read(l.in[l.end:])
	l.end += n
	if n > 0 {
		return nil
	}
	return err
}

// lose tells the session that nothing more comes.
func (l *Link) lose() {
	if l.ended.Load() == nil {
		l.handle(l.session.EndOfFile())
	}
	if l.ended.Load() == nil { // a session that is closing has nothing to report
		l.handle([]session.Event{session.Ended{Reason: session.Closed}})
	}
}

// handle takes the events of a session; Received ones come to the reading goroutine alone.
func (l *Link) handle(events []session.Event) {
	for _, event := range events {
		switch e := event.(type) {
		case session.Received:
			l.held = append(l.held, e.Octets...)
			l.received.Add(uint64(len(e.Octets)))
			continue
		case session.EarlyReceived: // kept until the client has proved to be there
			l.held = append(l.held, e.Octets...)
			l.received.Add(uint64(len(e.Octets)))
			continue
		case session.EarlyAnswered:
			if l.early.status = e.Status; !l.spokeEarly() {
				continue
			}
		case session.Established:
			l.peer = &e.Peer
		case session.Question:
			l.ask(e)
		case session.Ended:
			if l.ended.CompareAndSwap(nil, &e) {
				close(l.ending)
				_ = l.conn.SetDeadline(time.Now().Add(tail))
				_ = l.conn.SetReadDeadline(time.Now())
			}
		}
		if l.hooks.Event != nil {
			l.hooks.Event(l, event)
		}
	}
}

// ask lets ZAP take its time, but not longer than the handshake has.
func (l *Link) ask(question session.Question) {
	answer := make(chan session.Verdict, 1)
	go func() {
		if l.hooks.Zap == nil {
			answer <- session.Verdict{}
			return
		}
		answer <- l.hooks.Zap(question)
	}()
	select {
	case verdict := <-answer:
		l.handle(l.session.Answer(verdict))
	case <-l.ending:
	}
}

// finish lets the last output go and closes the connection, without keeping the caller waiting. It is for the reading
// goroutine, which reads no more.
func (l *Link) finish() error {
	go l.closing.Do(func() {
		_ = l.flush()
		l.shutdownWriting()
		_ = l.conn.SetReadDeadline(time.Now().Add(tail))
		_, _ = io.Copy(io.Discard, l.conn) // unread octets would turn the end into a reset and lose the alert
		l.timer.Stop()
		_ = l.conn.Close()
		close(l.over)
	})
	ended := l.ended.Load()
	if ended.Reason == session.Closed {
		return io.EOF
	}
	return &EndError{*ended}
}

func (l *Link) shutdownWriting() {
	if half, ok := l.conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}

// tick does what the session's clock asks for.
func (l *Link) tick() {
	l.looking.Store(false)
	l.handle(l.session.Tick())
	l.kick()
	l.arm()
}

// arm sets the timer to the session's next deadline, and looks earlier if there is traffic.
func (l *Link) arm() {
	if l.ended.Load() != nil {
		return
	}
	pause := time.Hour
	if deadline, ok := l.session.NextDeadline(); ok {
		pause = max(time.Until(deadline), time.Millisecond)
	}
	if l.looking.Load() {
		pause = min(pause, look)
	}
	l.timer.Reset(pause)
}

// Rekey is that of session.Conn.
func (l *Link) Rekey(generation bool) error {
	err := l.session.Rekey(generation)
	l.kick()
	return err
}

// Export is that of session.Conn.
func (l *Link) Export(label string, context []byte, n int) ([]byte, error) {
	return l.session.Export(label, context, n)
}

// IsEnd says whether err is how a session ended, and gives it.
func IsEnd(err error) (session.Ended, bool) {
	var end *EndError
	if errors.As(err, &end) {
		return end.Ended, true
	}
	return session.Ended{Reason: session.Closed}, errors.Is(err, io.EOF)
}

// Abort closes the connection at once, without a word.
func (l *Link) Abort() { _ = l.conn.Close() }
