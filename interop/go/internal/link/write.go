package link

import (
	"slices"
	"time"
)

// sealAtOnce is how many octets are sealed before they are written: the peer opens them meanwhile.
const sealAtOnce = 128 << 10

// Write seals the pieces, one behind the other, and writes the records. It is an error if the session is not
// established, or over.
func (l *Link) Write(pieces ...[]byte) error {
	l.writing.Lock()
	defer l.unlock()
	out := l.out[:0]
	for _, piece := range pieces {
		for len(piece) > 0 {
			n := min(len(piece), sealAtOnce)
			out = slices.Grow(out, l.session.SealedSize(n))
			sealed, err := l.session.Seal(out, piece[:n])
			if err != nil {
				_, _ = l.conn.Write(sealed) // what could be sealed, and the end of a session whose keys are used up
				return err
			}
			l.sent.Add(uint64(n))
			out, piece = sealed, piece[n:]
			if len(out) >= sealAtOnce {
				if _, err := l.conn.Write(out); err != nil {
					return err
				}
				out = out[:0]
			}
		}
	}
	l.out = out[:0]
	_, err := l.conn.Write(out)
	return err
}

// CloseWrite closes the session in order: close_notify, or user_canceled if it is not established, then the end of
// this side's stream. The reading goroutine then goes on until the peer's close_notify or end, at most for linger, or a
// second if that is less.
func (l *Link) CloseWrite(linger time.Duration) {
	_ = l.conn.SetDeadline(time.Now().Add(max(linger, tail)))
	l.writing.Lock()
	events := l.session.Close()
	l.unlock()
	_ = l.flush()
	l.shutdownWriting()
	l.handle(events)
}

// flush writes what is to be written now.
func (l *Link) flush() error {
	l.writing.Lock()
	defer l.unlock()
	return l.writeOutput()
}

func (l *Link) writeOutput() error {
	out := l.session.Output()
	if len(out) == 0 {
		return nil
	}
	_, err := l.conn.Write(out)
	return err
}

// unlock ends a write, and writes what was to be written meanwhile.
func (l *Link) unlock() {
	l.writing.Unlock()
	for l.pending.Load() && l.writing.TryLock() {
		l.pending.Store(false)
		_ = l.writeOutput()
		l.writing.Unlock()
	}
}

// kick has the output written by whoever writes now, or by a new goroutine: the reading goroutine must not wait for the
// peer to read.
func (l *Link) kick() {
	l.pending.Store(true)
	if !l.writing.TryLock() {
		return
	}
	l.pending.Store(false)
	out := l.session.Output()
	if len(out) == 0 {
		l.unlock()
		return
	}
	go func() {
		_, _ = l.conn.Write(out)
		l.unlock()
	}()
}
