package pure

import (
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/go-zeromq/zmq4"
)

// Send sends a message. It waits up to limit until there is a peer and the library has taken the message before, for
// ever if limit is negative, and fails with os.ErrDeadlineExceeded. A PUB or XPUB socket does not wait for peers, and
// one that connects takes a message for the peer that will come.
func (s *Socket) Send(parts [][]byte, limit time.Duration) error {
	library, err := s.library()
	if err != nil {
		return err
	}
	expired := after(limit)
	if limit >= 0 && s.reaching() {
		return s.queue(library, parts, expired)
	}
	for {
		if err := s.awaitPeer(expired); err != nil {
			return err
		}
		if !s.routable(parts[0]) {
			return syscall.EHOSTUNREACH
		}
		if err := take(s, s.sending, expired); err != nil {
			return err
		}
		err := s.deliver(library, parts, limit < 0)
		if !toNobody(err) {
			return err
		}
		select { // the library does not know yet that there is a peer, or that there is none
		case <-time.After(time.Millisecond):
		case <-expired:
			return os.ErrDeadlineExceeded
		}
	}
}

// toNobody says whether the library failed to send because no peer is there.
func toNobody(err error) bool {
	return errors.Is(err, errLost) || err != nil && strings.Contains(err.Error(), "no connections available")
}

// deliver has the library send. It waits for that only if it may take its time; the next message waits for it then.
func (s *Socket) deliver(library zmq4.Socket, parts [][]byte, wait bool) error {
	send := func(parts [][]byte) error {
		defer func() { <-s.sending }()
		return s.write(library, parts)
	}
	if wait {
		return send(parts)
	}
	own := clone(parts)
	done := make(chan error, 1)
	go func() { done <- send(own) }()
	select {
	case err := <-done:
		return err
	case <-time.After(50 * time.Millisecond):
		return nil
	}
}

func clone(parts [][]byte) [][]byte {
	own := make([][]byte, len(parts))
	for i, part := range parts {
		own[i] = slices.Clone(part)
	}
	return own
}

// write has the library send. Whoever calls it has the turn.
func (s *Socket) write(library zmq4.Socket, parts [][]byte) error {
	before := s.written.Load()
	err := library.SendMulti(zmq4.NewMsgFrom(parts...))
	if errors.Is(err, errLost) && s.written.Load() > before {
		return nil // one of the peers is gone, another has it
	}
	return err
}

// reaching says whether a peer is being reached and none is there, and messages wait for it: a REQ socket of the library
// would not wait for the answer.
func (s *Socket) reaching() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connects > 0 && len(s.live) == 0 && slices.Contains([]string{"DEALER", "PAIR", "PUSH"}, s.kind)
}

// queue takes a message for the next peer: one at a time, where libzmq takes as many as its high-water mark.
func (s *Socket) queue(library zmq4.Socket, parts [][]byte, expired <-chan time.Time) error {
	if err := take(s, s.sending, expired); err != nil {
		return err
	}
	s.mu.Lock()
	refused := s.refused
	s.mu.Unlock()
	own := clone(parts)
	go func() {
		defer func() { <-s.sending }()
		for s.awaitPeer(refused) == nil && toNobody(s.write(library, own)) {
			time.Sleep(time.Millisecond)
		}
	}()
	return nil
}

// awaitPeer waits until messages can be sent.
func (s *Socket) awaitPeer(expired <-chan time.Time) error {
	if s.kind == "PUB" || s.kind == "XPUB" {
		return nil
	}
	for {
		s.mu.Lock()
		known, changed := len(s.live) > 0 || s.plain, s.changed
		s.mu.Unlock()
		if known {
			return nil
		}
		select {
		case <-changed:
		case <-expired:
			return os.ErrDeadlineExceeded
		case <-s.context.Done():
			return ErrClosed
		}
	}
}

// routable says whether a ROUTER may send to that identity: with ROUTER_MANDATORY there must be such a peer.
func (s *Socket) routable(identity []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.mandatory || s.plain || s.routes[string(identity)] != nil
}

// Receive receives a message. It waits up to limit, for ever if that is negative. There are properties if the
// option QZMQ_PROPERTIES is set.
func (s *Socket) Receive(limit time.Duration, _ ...string) ([][]byte, map[string]string, error) {
	library, err := s.library()
	if err != nil {
		return nil, nil, err
	}
	expired := after(limit)
	if err := take(s, s.receiving, expired); err != nil {
		return nil, nil, err
	}
	defer func() { <-s.receiving }()
	for {
		got, err := s.next(library, limit, expired)
		if err != nil {
			return nil, nil, err
		}
		if s.context.Err() != nil {
			return nil, nil, ErrClosed
		}
		if got.err == nil && s.tagging() {
			return untag(got.parts)
		}
		if got.err == nil {
			return got.parts, nil, nil
		}
		if s.kind == "REQ" || s.kind == "REP" {
			return nil, nil, got.err
		} // of others it is the end of one connection
	}
}

// next is the library's next answer, to this Receive or to one that gave up, or what an XPUB socket hears of topics.
func (s *Socket) next(library zmq4.Socket, limit time.Duration, expired <-chan time.Time) (received, error) {
	var notices chan [][]byte
	if s.topics != nil {
		notices = s.topics.notices
	}
	if s.pending == nil {
		if limit < 0 && notices == nil {
			return receive(library), nil
		}
		answer := make(chan received, 1)
		s.pending = answer
		go func() { answer <- receive(library) }()
	}
	select {
	case got := <-s.pending:
		s.pending = nil
		return got, nil
	case parts := <-notices:
		return received{parts: parts}, nil
	default:
	}
	select {
	case got := <-s.pending:
		s.pending = nil
		return got, nil
	case parts := <-notices:
		return received{parts: parts}, nil
	case <-expired:
		return received{}, os.ErrDeadlineExceeded
	case <-s.context.Done():
		return received{}, ErrClosed
	}
}

func receive(library zmq4.Socket) received {
	message, err := library.Recv()
	return received{message.Frames, err}
}

// take takes a turn, which the caller gives back by receiving from turns.
func take(s *Socket, turns chan struct{}, expired <-chan time.Time) error {
	select {
	case turns <- struct{}{}:
		return nil
	default:
	}
	select {
	case turns <- struct{}{}:
		return nil
	case <-expired:
		return os.ErrDeadlineExceeded
	case <-s.context.Done():
		return ErrClosed
	}
}

// after is time.After, or never if limit is negative.
func after(limit time.Duration) <-chan time.Time {
	if limit < 0 {
		return nil
	}
	return time.After(limit)
}
