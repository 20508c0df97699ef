package session

import (
	"time"

	"qzmq.test/go/internal/alert"
	"qzmq.test/go/internal/handshake"
)

// Tick looks at the clock: a handshake that takes too long ends (SEC-2), a generation that is old is renewed (ROT-15).
func (c *Conn) Tick() []Event {
	c.lock()
	defer c.unlock()
	switch {
	case c.ended:
		return nil
	case c.shaking():
		c.checkTime()
	default:
		c.offerGeneration()
	}
	return c.take()
}

// shaking tells whether the handshake is not over.
func (c *Conn) shaking() bool {
	if c.machine == nil {
		return !c.ended
	}
	switch c.machine.State() {
	case handshake.Open, handshake.Closing, handshake.Over:
		return false
	}
	return true
}

func (c *Conn) checkTime() {
	if c.config.Now().Before(c.started.Add(c.limits.HandshakeTime)) {
		return
	}
	late := alert.New(alert.UserCanceled, "SEC-2", "the handshake took longer than %v", c.limits.HandshakeTime)
	if c.machine == nil {
		c.endSilently(late)
		return
	}
	c.machine.Fail(late)
}

// renew begins a generation that Seal found to be due.
func (c *Conn) renew() {
	c.lock()
	defer c.unlock()
	c.offerGeneration()
}

func (c *Conn) offerGeneration() {
	if c.machine.RekeyDue() {
		c.machine.Local(handshake.Rekey)
	}
}

// NextDeadline is when Tick has something to do next; false if never.
func (c *Conn) NextDeadline() (time.Time, bool) {
	c.lock()
	defer c.unlock()
	switch {
	case c.ended:
		return time.Time{}, false
	case c.shaking():
		return c.started.Add(c.limits.HandshakeTime), true
	}
	return c.machine.NextRekey()
}
