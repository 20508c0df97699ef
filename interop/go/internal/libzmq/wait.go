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
	err := s.once(operation)
	if s.waiting.Load() > 0 {
		s.wake() // they may have been waiting for the signal that this operation used
	}
	switch {
	case err != errNotNow:
		return err
	case limit == 0:
		return os.ErrDeadlineExceeded
	}
	var deadline time.Time
	var expired <-chan time.Time
	if limit > 0 {
		timer := time.NewTimer(limit)
		defer timer.Stop()
		deadline, expired = time.Now().Add(limit), timer.C
	}
	s.waiting.Add(1)
	defer s.waiting.Add(-1)
	for {
		used := s.used()
		select {
		case s.polling <- struct{}{}:
			err = s.poll(deadline, operation)
			<-s.polling
		case <-used:
			err = s.once(operation)
		case <-expired:
			err = os.ErrDeadlineExceeded
		case <-s.over:
			err = ErrClosed
		}
		if err != errNotNow {
			return err
		}
	}
}

// poll waits for the signal and does the operation, until it is not too early for it or somebody used the socket. It
// blocks its thread, as libzmq's own waiting does: Go's poller would have to be woken first, and then this goroutine.
func (s *Socket) poll(deadline time.Time, operation func() error) error {
	for {
		err := s.once(operation)
		if err != errNotNow {
			return err
		}
		if s.waiting.Load() > 1 {
			s.tell() // the signal was for somebody else
		}
		timeout := -1
		if !deadline.IsZero() {
			timeout = max(0, int(time.Until(deadline).Milliseconds())+1)
		}
		s.polled = [2]unix.PollFd{{Fd: int32(s.signal), Events: unix.POLLIN}, {Fd: int32(s.woken), Events: unix.POLLIN}}
		switch n, err := unix.Poll(s.polled[:], timeout); {
		case err == unix.EINTR:
		case err != nil:
			return err
		case n == 0:
			return os.ErrDeadlineExceeded
		case s.polled[1].Revents != 0:
			var drained [64]byte
			_, _ = unix.Read(s.woken, drained[:])
			return errNotNow
		}
	}
}

// once does the operation. Its error is errNotNow, ErrClosed, syscall.EHOSTUNREACH, or libzmq's.
func (s *Socket) once(operation func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.zmq == nil {
		return ErrClosed
	}
	err := operation()
	if zmq.AsErrno(err) == zmq.Errno(syscall.EAGAIN) {
		if _, err = s.zmq.GetEvents(); err == nil { // a send leaves a recent signal alone; this takes it
			err = operation()
		}
	}
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

func (s *Socket) used() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
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
