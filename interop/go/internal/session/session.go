// Package session is one QZMQ connection without its socket: octets from the peer go in, octets for the peer and
// events for the owner come out. It does no I/O, starts no goroutine and has no timer.
//
// The owner's loop is: write Output after every call that may have produced some, feed what it reads to Receive until
// Established, then read with Open and write with Seal, and call Tick when NextDeadline has come.
//
// One goroutine may read (Receive, Open, EndOfFile) while another writes (Seal, Output); Close, Rekey, Answer, Tick and
// Export may come from any. What Output and Seal return must reach the wire in the order in which it was returned, so
// whoever calls either holds the owner's write lock from the call to the end of the write.
package session

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"qzmq.test/go/internal/alert"
	"qzmq.test/go/internal/binding"
	"qzmq.test/go/internal/handshake"
	"qzmq.test/go/internal/record"
	"qzmq.test/go/internal/registry"
)

// ErrNotEstablished says that application octets cannot be sent: not yet, or no more.
var ErrNotEstablished = errors.New("session: not established")

// ErrExhausted says that the session's keys are used up and that it is closing (ROT-6).
var ErrExhausted = record.ErrExhausted

// Conn is one connection's session.
type Conn struct {
	config  *Config
	limits  registry.Limits
	binding binding.Binding
	address string
	started time.Time

	// Lock order: reading, then writing. Either suffices to read the machine's state; its reader belongs to reading, its
	// writer and output to writing, and whatever changes the state holds both.
	reading sync.Mutex
	writing sync.Mutex

	machine *handshake.Machine // nil until both greetings are exchanged
	pending []byte             // received, and not a whole message yet
	out     []byte             // this side's greeting
	events  []Event            // of what happened without a machine
	ended   bool
	due     atomic.Bool // a new generation is due (ROT-15), seen by Seal
}

// New makes the session of a connection that has just been opened or accepted. peerAddress is the peer's network
// address without a port, for X-QZMQ-Peer-Address and ZAP. It fails for a local fault only (CERT-6, POL-1 to POL-8).
// Output has this side's greeting at once.
func New(config *Config, b binding.Binding, peerAddress string) (*Conn, error) {
	if err := config.Check(); err != nil {
		return nil, err
	}
	if raw := b.Name() == "raw"; raw != (config.SocketType == "") {
		return nil, errors.New("session: a Socket-Type, and only one, goes with the zmtp binding (PAT-2)")
	}
	return &Conn{
		config:  config,
		limits:  config.Policy.Limits.Effective(),
		binding: b,
		address: peerAddress,
		started: config.Now(),
		out:     append([]byte(nil), b.Greeting()...),
	}, nil
}

func (c *Conn) lock() {
	c.reading.Lock()
	c.writing.Lock()
}

func (c *Conn) unlock() {
	c.writing.Unlock()
	c.reading.Unlock()
}

// Receive takes octets that the peer sent, any number, cut anywhere. It never fails: a wrong peer ends in the event
// Ended. What follows Ended is discarded. The octets of events are the receiver's to keep.
func (c *Conn) Receive(data []byte) []Event {
	c.lock()
	defer c.unlock()
	c.pending = append(c.pending, data...)
	return c.process()
}

// process uses what is pending: the greeting, then message after message, until ZAP is asked.
func (c *Conn) process() []Event {
	used := 0
	for !c.ended {
		n := c.next(c.pending[used:])
		if n == 0 {
			break
		}
		used += n
	}
	c.pending = append(c.pending[:0], c.pending[used:]...)
	events := c.take()
	if c.ended {
		c.pending = nil
	}
	return events
}

// next uses the first thing in octets, and tells its length: 0 if it is not whole yet.
func (c *Conn) next(octets []byte) int {
	if c.machine == nil {
		return c.greet(octets)
	}
	if c.machine.State() == handshake.WaitAuthorization {
		return 0
	}
	start, end, err := c.binding.Message(octets, c.machine.Limit())
	switch {
	case err != nil:
		c.machine.Fail(err)
	case end > 0:
		c.machine.Receive(octets[start:end])
	}
	c.ended = c.machine.State() == handshake.Over
	return end
}

// greet checks the peer's greeting; a wrong one ends the connection in silence (ZMTP-2, RAW-2). A client begins its
// handshake when all of it is right (ZMTP-7, RAW-4).
func (c *Conn) greet(octets []byte) int {
	n, err := c.binding.ReceiveGreeting(octets)
	if err != nil {
		c.endSilently(alert.From(err))
		return 0
	}
	if n == 0 {
		return 0
	}
	c.machine = handshake.NewMachine(c.config, handshake.Transport{
		Prologue:     c.binding.Prologue(),
		Raw:          c.binding.Name() == "raw",
		PeerAddress:  c.address,
		AppendHeader: c.binding.AppendHeader,
	})
	c.machine.Local(handshake.Begin)
	return n
}

func (c *Conn) endSilently(reason *alert.Alert) {
	c.ended = true
	c.events = append(c.events, Ended{Reason: Alerted, Alert: reason})
}

// take gives the events since the last call, and notes the end.
func (c *Conn) take() []Event {
	events := c.events
	c.events = nil
	if c.machine != nil {
		events = append(events, c.machine.TakeEvents()...)
		c.ended = c.machine.State() == handshake.Over
	}
	return events
}

// Output takes the octets that are to be written now: greeting, handshake messages, alerts. Nil if there are none.
// After Ended they are written before the connection is closed.
func (c *Conn) Output() []byte {
	c.writing.Lock()
	defer c.writing.Unlock()
	return c.takeOutput()
}

func (c *Conn) takeOutput() []byte {
	out := c.out
	c.out = nil
	if c.machine == nil {
		return out
	}
	if more := c.machine.TakeOutput(); len(out) == 0 {
		out = more
	} else {
		out = append(out, more...)
	}
	return out
}

// Close ends the session in order: close_notify if it is established (CLS-1), else user_canceled (CLS-5), or nothing
// before the greetings are exchanged. The owner writes Output, shuts down its writing side and reads on until Ended or
// its linger time (CLS-3). Later calls do nothing.
func (c *Conn) Close() []Event {
	c.lock()
	defer c.unlock()
	switch {
	case c.ended:
	case c.machine == nil:
		c.ended = true
		c.events = append(c.events, Ended{Reason: Closed})
	default:
		c.machine.Local(handshake.Close)
	}
	return c.take()
}

// EndOfFile tells that the peer's stream has ended: Truncated, unless the session was over or this side had closed it
// (CLS-3, CLS-4).
func (c *Conn) EndOfFile() []Event {
	c.lock()
	defer c.unlock()
	switch {
	case c.ended:
		return nil
	case c.machine == nil:
		c.ended = true
		c.events = append(c.events, Ended{Reason: Truncated})
	default:
		c.machine.EndOfFile()
	}
	return c.take()
}

// Answer gives ZAP's verdict on the Question that was asked, and goes on with what was received meanwhile.
func (c *Conn) Answer(verdict Verdict) []Event {
	c.lock()
	defer c.unlock()
	if c.machine == nil {
		return nil
	}
	c.machine.Answer(verdict)
	return c.process()
}

// Steps is how many steps the sending and the receiving keys have taken, over all generations.
func (c *Conn) Steps() (sent, received uint64) {
	c.lock()
	defer c.unlock()
	if c.machine == nil {
		return 0, 0
	}
	return c.machine.Steps()
}

// Rekey steps this side's sending key (ROT-2), or with generation begins a fresh key exchange: a client offers, a
// server requests (ROT-9, ROT-11). GenerationBegan tells that it is complete. It fails if the session is not
// established, and does nothing if an exchange is on its way or the generation is the last (ROT-16).
func (c *Conn) Rekey(generation bool) error {
	c.lock()
	defer c.unlock()
	if c.machine == nil || c.machine.State() != handshake.Open {
		return ErrNotEstablished
	}
	if generation {
		c.machine.Local(handshake.Rekey)
		return nil
	}
	return c.machine.Step()
}

// Export gives n octets of keying material that both sides compute alike (KS-6).
func (c *Conn) Export(label string, context []byte, n int) ([]byte, error) {
	c.lock()
	defer c.unlock()
	if c.machine == nil {
		return nil, ErrNotEstablished
	}
	return c.machine.Export(label, context, n)
}

// State is the state of the table handshake in spec/handshake.md, such as "wait_finished", for logs.
func (c *Conn) State() string {
	c.lock()
	defer c.unlock()
	switch {
	case c.machine != nil:
		return c.machine.State().String()
	case c.ended:
		return handshake.Over.String()
	}
	return handshake.Start.String()
}
