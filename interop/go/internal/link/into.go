package link

import "qzmq.test/go/internal/session"

// hugeBuffer is how much is read from the network at once at most, for a caller with as much room.
const hugeBuffer = 1 << 20

// frugal is a Session that can open records where there is little room.
type frugal interface {
	OpenWithin(dst, src []byte) (out []byte, consumed int, left bool, events []session.Event)
}

// NextInto is Next for a caller that has room: records that fit are opened into buffer, of which octets then is the
// beginning. What does not fit comes as Next gives it.
func (l *Link) NextInto(buffer []byte) (octets []byte, err error) {
	s, able := l.session.(frugal)
	if !able || len(l.held) > 0 {
		return l.Next()
	}
	l.reserve(min(len(buffer), hugeBuffer))
	for l.ended.Load() == nil {
		if l.start < l.end {
			out, consumed, left, events := s.OpenWithin(buffer[:0:len(buffer)], l.in[l.start:l.end])
			l.opened(len(out), consumed, events)
			switch {
			case len(out) > 0:
				return out, nil
			case left:
				return l.Next()
			}
		}
		if l.fill() != nil {
			break
		}
	}
	return l.Next()
}

// reserve makes room for so many octets that are received.
func (l *Link) reserve(octets int) {
	if len(l.in) < octets {
		grown := make([]byte, octets)
		l.end = copy(grown, l.in[l.start:l.end])
		l.start, l.in = 0, grown
	}
}
