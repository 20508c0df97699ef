//go:build cgo

package libzmq

import (
	"errors"
	"os"
	"syscall"
	"time"

	zmq "github.com/pebbe/zmq4"
	"golang.org/x/sys/unix"
)

// errNotNow is libzmq's EAGAIN.
var errNotNow = errors.New("the socket is not ready")

// try does an operation on the socket that does not wait, again and again until it succeeds, fails, or limit is over.
//
// libzmq signals a change on a descriptor, once, and any operation may use the signal up. So one goroutine at a time
// waits for it; the others wait for their turn, and all try again when the socket was used.
func (s *Socket) try(limit time.Duration, operation func() error) error {
	used, others, err := s.first(limit != 0, operation)
	if others {
		s.wake() // they may have been waiting for the signal that this operation used
	}
	switch {
	case err != errNotNow:
		return err
	case limit == 0:
		return os.ErrDeadlineExceeded
	}
	return s.wait(used, limit, operation)
}

// first does the operation. If it is too early for it, a goroutine that waits counts as waiting before anybody else can
// use the socket; others says whether somebody waited already.
func (s *Socket) first(waits bool, operation func() error) (used <-chan struct{}, others bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	others = s.waiting.Load() > 0
	if err = s.attempt(operation); err == errNotNow && waits {
		s.waiting.Add(1)
	}
	return s.changed, others, err
}

// wait is try after the first attempt, from which used is.
func (s *Socket) wait(used <-chan struct{}, limit time.Duration, operation func() error) error {
	defer s.waiting.Add(-1)
	var deadline time.Time
	var expired <-chan time.Time
	if limit > 0 {
		timer := time.NewTimer(limit)
		defer timer.Stop()
		deadline, expired = time.Now().Add(limit), timer.C
	}
	err := errNotNow
	for err == errNotNow {
		select {
		case s.polling <- struct{}{}:
			err = s.poll(used, deadline, operation)
			<-s.polling
		case <-used:
			used, err = s.again(operation)
		case <-expired:
			err = os.ErrDeadlineExceeded
		case <-s.over:
			err = ErrClosed
		}
	}
	return err
}

// again does the operation; used is closed when it is worth while to do it once more.
func (s *Socket) again(operation func() error) (used <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed, s.attempt(operation)
}

// poll waits for the signal and does the operation, until it is not too early for it or somebody used the socket. It
// blocks its thread, as libzmq's own waiting does: Go's poller would have to be woken first, and then this goroutine.
func (s *Socket) poll(used <-chan struct{}, deadline time.Time, operation func() error) error {
	select {
	case <-used:
		return errNotNow
	default:
	}
	for {
		if err := s.awaitSignal(deadline); err != nil {
			return err
		}
		_, err := s.again(operation)
		if s.waiting.Load() > 1 {
			s.tell() // the signal was for somebody else, or for more than one
		}
		if err != errNotNow {
			return err
		}
	}
}

// awaitSignal fails with errNotNow if somebody used the socket.
func (s *Socket) awaitSignal(deadline time.Time) error {
	s.polled = [2]unix.PollFd{{Fd: int32(s.signal), Events: unix.POLLIN}, {Fd: int32(s.woken), Events: unix.POLLIN}}
	_, err := unix.Poll(s.polled[:], s.patience(deadline))
	switch {
	case err == unix.EINTR:
		return nil
	case err != nil:
		return err
	case s.polled[1].Revents != 0:
		var drained [64]byte
		_, _ = unix.Read(s.woken, drained[:])
		return errNotNow
	case s.polled[0].Revents == 0 && !deadline.IsZero() && !time.Now().Before(deadline):
		return os.ErrDeadlineExceeded
	}
	return nil
}

// patience is how many milliseconds the signal is waited for: not for ever if others wait, whose attempts may have used
// it up.
func (s *Socket) patience(deadline time.Time) int {
	limit := -1
	if s.waiting.Load() > 1 {
		limit = 50
	}
	if deadline.IsZero() {
		return limit
	}
	left := max(0, int(time.Until(deadline).Milliseconds())+1)
	if limit < 0 {
		return left
	}
	return min(left, limit)
}

// attempt does the operation, for whoever holds the lock. Its error is errNotNow, ErrClosed, syscall.EHOSTUNREACH, or
// libzmq's.
func (s *Socket) attempt(operation func() error) error {
	if s.zmq == nil {
		return ErrClosed
	}
	err := operation()
	switch zmq.AsErrno(err) {
	case zmq.Errno(syscall.EAGAIN):
		return errNotNow
	case zmq.Errno(syscall.EHOSTUNREACH):
		return syscall.EHOSTUNREACH // known without this library too
	case zmq.ETERM:
		return ErrClosed
	}
	return err
}

// tell has all who wait for their turn try again.
func (s *Socket) tell() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
}

// wake has all who wait try again, also the one who waits for the signal.
func (s *Socket) wake() {
	s.tell()
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = unix.Write(s.waker, []byte{0})
}
