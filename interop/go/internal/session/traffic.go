package session

import (
	"errors"
	"math"

	"qzmq.test/go/internal/binding"
	"qzmq.test/go/internal/handshake"
	"qzmq.test/go/internal/record"
)

// Open is Receive for an established session, without an allocation: it opens the whole messages at the beginning of
// src and appends their application octets to dst. The caller keeps src[consumed:] and brings it again with more behind
// it. No application octets come as Received events; whatever else happens does come as an event. dst must not overlap
// src.
func (c *Conn) Open(dst, src []byte) (out []byte, consumed int, events []Event) {
	c.reading.Lock()
	defer c.reading.Unlock()
	if len(c.pending) > 0 || c.machine == nil || c.machine.State() != handshake.Open {
		return c.openSlowly(dst, src)
	}
	out, consumed, _, events = c.openWithin(dst, src, math.MaxInt)
	if c.machine.State() == handshake.Open {
		return out, consumed, events
	}
	out, more, late := c.openSlowly(out, src[consumed:])
	return out, consumed + more, append(events, late...)
}

// OpenWithin is Open, but leaves what dst has no room for in src, and tells whether it has left a whole message.
func (c *Conn) OpenWithin(dst, src []byte) (out []byte, consumed int, left bool, events []Event) {
	c.reading.Lock()
	defer c.reading.Unlock()
	if len(c.pending) > 0 || c.machine == nil {
		return dst, 0, true, nil
	}
	return c.openWithin(dst, src, cap(dst))
}

// openWithin opens messages while dst grows to at most that many octets, and the session is open.
func (c *Conn) openWithin(dst, src []byte, most int) (out []byte, consumed int, left bool, events []Event) {
	out = dst
	for c.machine.State() == handshake.Open {
		start, end, err := c.binding.Message(src[consumed:], c.machine.Limit())
		if err == nil && end == 0 {
			return out, consumed, false, events
		}
		message := src[consumed+start : consumed+end]
		switch {
		case err != nil:
		case !c.machine.IsData(message):
			events = append(events, c.receive(message)...)
		case len(message)-record.Overhead > most-len(out):
			return out, consumed, true, events
		default:
			out, err = c.machine.OpenData(out, message)
		}
		if err != nil {
			events = append(events, c.fail(err)...)
		}
		consumed += end
	}
	return out, consumed, true, events
}

// receive takes one message that is not data; the reading half is locked.
func (c *Conn) receive(message []byte) []Event {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.machine.Receive(message)
	return c.take()
}

func (c *Conn) fail(err error) []Event {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.machine.Fail(err)
	return c.take()
}

// openSlowly goes by way of what is pending, and gives back what of src is not a whole message.
func (c *Conn) openSlowly(dst, src []byte) (out []byte, consumed int, events []Event) {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.pending = append(c.pending, src...)
	out = dst
	for _, event := range c.process() {
		if received, ok := event.(Received); ok {
			out = append(out, received.Octets...)
			continue
		}
		events = append(events, event)
	}
	if left := len(c.pending); left <= len(src) {
		c.pending = c.pending[:0]
		return out, len(src) - left, events
	}
	return out, len(src), events
}

// Seal appends whatever Output would give, then records that carry octets, to dst. It does not allocate if dst has
// room: SealedSize(len(octets)) and what is pending. It fails with ErrNotEstablished before Established and after Close
// or Ended, and seals nothing then; with ErrExhausted it has sealed what it could, and closed the session.
func (c *Conn) Seal(dst, octets []byte) (out []byte, err error) {
	if c.due.Swap(false) {
		c.renew()
	}
	out, err = c.seal(dst, octets)
	if errors.Is(err, ErrExhausted) {
		c.lock()
		defer c.unlock()
		c.machine.Fail(err)
		return append(out, c.takeOutput()...), err
	}
	return out, err
}

func (c *Conn) seal(dst, octets []byte) ([]byte, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.machine == nil || c.machine.State() != handshake.Open {
		return dst, ErrNotEstablished
	}
	out, err := c.machine.SealData(append(dst, c.takeOutput()...), octets)
	if err == nil && c.machine.StepsAreMany() {
		c.due.Store(true)
	}
	return out, err
}

// SealedSize is how many octets at most Seal makes of n application octets, what is pending apart; 0 before Established.
func (c *Conn) SealedSize(n int) int {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.machine == nil || c.machine.State() != handshake.Open {
		return 0
	}
	return c.machine.SealedSize(n, binding.MaxHeader)
}

// SealEarly is Seal for a client's early data, between ClientHello and ServerHello: it appends what Output would give and
// records that carry as many of the octets as the ticket and RES-14 still allow, and tells how many. None may be sent
// before the greetings are exchanged, after ServerHello, or without Config.EarlyData and a ticket that allows it.
func (c *Conn) SealEarly(dst, octets []byte) (out []byte, sent int) {
	c.writing.Lock()
	defer c.writing.Unlock()
	out = append(dst, c.takeOutput()...)
	if c.machine == nil {
		return out, 0
	}
	return c.machine.SealEarly(out, octets)
}

// Remembered is what the ticket tells a client of its server, between the announcement of early data and ServerHello:
// whoever wants early octets from an application tells it so. False at any other time.
func (c *Conn) Remembered() (Peer, bool) {
	c.lock()
	defer c.unlock()
	if c.machine == nil {
		return Peer{}, false
	}
	return c.machine.Remembered()
}
