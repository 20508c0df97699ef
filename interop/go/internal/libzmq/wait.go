//go:build cgo

package libzmq

import (
	"errors"
	"os"
	"syscall"
	"time"

	zmq "github.com/pebbe/zmq4"
)

// errNotNow is libzmq's EAGAIN, errWoken the end of a wait in which somebody else used the socket.
var (
	errNotNow = errors.New("the socket is not ready")
	errWoken  = errors.New("the socket was used meanwhile")
)

// try does an operation on the socket that does not wait, again and again until it succeeds, fails, or limit is over.
//
// libzmq signals a change on a descriptor, once, and any operation may use the signal up. So one goroutine at a time
// waits for it in Go's poller; the others wait for their turn, and all try again when the socket was used.
func (s *Socket) try(limit time.Duration, operation func() error) error {
	err := s.once(operation)
	switch {
	case err != errNotNow:
		if s.waiting.Load() > 0 {
			s.wake()
			_ = s.signal.SetReadDeadline(time.Now())
		}
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
		select {
		case s.polling <- struct{}{}:
			err = s.poll(deadline, operation)
			<-s.polling
		case <-s.used():
			err = s.once(operation)
		case <-expired:
			err = os.ErrDeadlineExceeded
		case <-s.over:
			err = ErrClosed
		}
		if err != errNotNow && err != errWoken {
			return err
		}
	}
}

// poll does the operation each time the signal comes, until it is not too early for it or somebody used the socket.
func (s *Socket) poll(deadline time.Time, operation func() error) error {
	raw, err := s.signal.SyscallConn()
	if err != nil || s.signal.SetReadDeadline(deadline) != nil {
		return ErrClosed
	}
	var result error
	err = raw.Read(func(uintptr) bool {
		result = s.once(operation)
		if result == errNotNow && s.waiting.Load() > 1 {
			s.wake() // the signal was for somebody else
		}
		return result != errNotNow
	})
	switch {
	case err == nil:
		return result
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return ErrClosed
	case !deadline.IsZero() && !time.Now().Before(deadline):
		return os.ErrDeadlineExceeded
	}
	return errWoken
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

// wake has all who wait for their turn try again.
func (s *Socket) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
}
