package bridge

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// private is the bridge's end of one connection of the application's socket. One goroutine may read and one write.
//
// Go's poller would watch it for octets and for room, and a unix-domain socket tells of room whenever its peer reads:
// each message would wake a thread for nothing. So each is watched by itself.
type private struct {
	fd     int
	octets *watch
	room   *watch // nil before a write had to wait

	into     []byte // what is read now
	n        int
	readErr  error
	rest     []byte // what is still to be written
	writeErr error
}

// newPrivate takes the connection over.
func newPrivate(conn *net.UnixConn) (*private, error) {
	defer conn.Close()
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	p := &private{}
	fault := raw.Control(func(fd uintptr) { p.fd, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) })
	if err = errors.Join(fault, err); err != nil {
		return nil, err
	}
	if p.octets, err = newWatch(p.tryRead); err == nil {
		err = p.octets.add(p.fd, unix.EPOLLIN|unix.EPOLLRDHUP)
	}
	if err != nil {
		_ = p.Close()
		return nil, err
	}
	return p, nil
}

// Read reads what is there, and waits if that is nothing.
func (p *private) Read(into []byte) (int, error) {
	p.into = into
	if err := p.octets.wait(); err != nil {
		return 0, err
	}
	return p.n, p.readErr
}

func (p *private) tryRead(uintptr) bool {
	p.n, p.readErr = ignoringInterrupts(unix.Read, p.fd, p.into)
	if p.readErr == nil && p.n == 0 {
		p.readErr = io.EOF
	}
	return p.readErr != unix.EAGAIN
}

// Write writes all of it.
func (p *private) Write(octets []byte) (int, error) {
	if p.rest = octets; p.tryWrite(0) {
		return len(octets) - len(p.rest), p.writeErr
	}
	err := p.awaitRoom()
	if err == nil {
		err = p.writeErr
	}
	return len(octets) - len(p.rest), err
}

func (p *private) awaitRoom() (err error) {
	if p.room == nil {
		if p.room, err = newWatch(p.tryWrite); err != nil {
			return err
		}
	}
	if err := p.room.add(p.fd, unix.EPOLLOUT); err != nil {
		return err
	}
	defer p.room.remove(p.fd)
	return p.room.wait()
}

func (p *private) tryWrite(uintptr) bool {
	for {
		n, err := ignoringInterrupts(unix.Write, p.fd, p.rest)
		p.rest, p.writeErr = p.rest[max(n, 0):], err
		if err != nil || len(p.rest) == 0 {
			return err != unix.EAGAIN
		}
	}
}

func ignoringInterrupts(call func(int, []byte) (int, error), fd int, octets []byte) (n int, err error) {
	for {
		if n, err = call(fd, octets); err != unix.EINTR {
			return n, err
		}
	}
}

// CloseWrite ends what is written.
func (p *private) CloseWrite() error { return unix.Shutdown(p.fd, unix.SHUT_WR) }

// Close closes the connection.
func (p *private) Close() error {
	p.octets.close()
	p.room.close()
	return unix.Close(p.fd)
}

// watch is an epoll instance, which Go's poller watches in its turn.
type watch struct {
	file *os.File
	raw  syscall.RawConn
	fd   int
	try  func(uintptr) bool
}

func newWatch(try func(uintptr) bool) (*watch, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	_ = unix.SetNonblock(fd, true) // so that os knows that it can be polled
	w := &watch{file: os.NewFile(uintptr(fd), "epoll"), fd: fd, try: try}
	w.raw, err = w.file.SyscallConn()
	return w, err
}

func (w *watch) add(fd int, events uint32) error {
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(w.fd, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events}))
}

func (w *watch) remove(fd int) { _ = unix.EpollCtl(w.fd, unix.EPOLL_CTL_DEL, fd, nil) }

// wait tries until it need not be tried again.
func (w *watch) wait() error { return w.raw.Read(w.try) }

func (w *watch) close() {
	if w != nil {
		_ = w.file.Close()
	}
}
