package link

import "qzmq.test/go/internal/session"

// Early data: a client with a ticket may speak before the handshake is over (spec/resumption.md).

// early is what a client has sent early.
type early struct {
	begin  func(*Link, session.Peer) // called when early data may be sent; nil sends none
	sent   []byte                    // until it is known what became of it
	status session.EarlyStatus       // of the reading goroutine
}

// hasty is a Session that can send early data.
type hasty interface {
	Remembered() (session.Peer, bool)
	SealEarly(dst, octets []byte) (out []byte, sent int)
}

// OnEarly has begin called, before Handshake returns, if early data may be sent: with the server as the ticket remembers
// it. WriteEarly then takes octets. It is for before Handshake.
func (l *Link) OnEarly(begin func(*Link, session.Peer)) { l.early.begin = begin }

// announce calls begin once, when ClientHello has announced early data.
func (l *Link) announce() {
	s, able := l.session.(hasty)
	if !able || l.early.begin == nil {
		return
	}
	if server, ok := s.Remembered(); ok {
		l.early.begin(l, server)
		l.early.begin = nil
	}
}

// WriteEarly writes what the ticket allows as early data, and the rest when the session is established; from then on it
// is Write. It fails if the session ends before.
func (l *Link) WriteEarly(octets []byte) error {
	select {
	case <-l.settled:
		return l.Write(octets)
	default:
	}
	n, err := l.sealEarly(octets)
	if err != nil || n == len(octets) {
		return err
	}
	if err := l.Settled(); err != nil {
		return err
	}
	return l.Write(octets[n:])
}

func (l *Link) sealEarly(octets []byte) (sent int, err error) {
	s, able := l.session.(hasty)
	if !able {
		return 0, nil
	}
	l.writing.Lock()
	defer l.unlock()
	out, sent := s.SealEarly(l.out[:0], octets)
	l.out = out[:0]
	l.early.sent = append(l.early.sent, octets[:sent]...)
	_, err = l.conn.Write(out)
	return sent, err
}

// Settled returns when the session is established, or with an error when it has ended before.
func (l *Link) Settled() error {
	select {
	case <-l.settled:
		return nil
	case <-l.ending:
		return &EndError{*l.ended.Load()}
	}
}

// settle sends octets that the server certainly has not used again, the only ones that may be (RES-18).
func (l *Link) settle() {
	l.writing.Lock()
	again := l.early.sent
	l.early.sent = nil
	l.unlock()
	if l.early.status == session.EarlyRejected {
		_ = l.Write(again) // a session that has ended says so itself
	}
	close(l.settled)
}

// spokeEarly tells whether there is early data of which it is not settled what became.
func (l *Link) spokeEarly() bool {
	l.writing.Lock()
	defer l.unlock()
	return len(l.early.sent) > 0
}

// loseEarly reports early octets of which nobody knows what became (RES-18).
func (l *Link) loseEarly() {
	if l.early.status == 0 && l.spokeEarly() && l.hooks.Event != nil {
		l.hooks.Event(l, session.EarlyAnswered{Status: session.EarlyUnknown})
	}
}
