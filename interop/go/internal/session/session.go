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
	"time"

	"qzmq.test/go/internal/binding"
)

// ErrNotEstablished says that application octets cannot be sent: not yet, or no more.
var ErrNotEstablished = errors.New("session: not established")

// Conn is one connection's session.
type Conn struct{}

// New makes the session of a connection that has just been opened or accepted. peerAddress is the peer's network
// address without a port, for X-QZMQ-Peer-Address and ZAP. It fails for a local fault only (CERT-6, POL-1 to POL-8).
// Output has this side's greeting at once.
func New(config *Config, b binding.Binding, peerAddress string) (*Conn, error) {
	return nil, errors.New("session: not there yet")
}

// Receive takes octets that the peer sent, any number, cut anywhere. It never fails: a wrong peer ends in the event
// Ended. What follows Ended, Close's answer included, is discarded. The octets of events are the receiver's to keep.
func (c *Conn) Receive(data []byte) []Event { return nil }

// Open is Receive for an established session, without an allocation: it opens the whole messages at the beginning of
// src and appends their application octets to dst. The caller keeps src[consumed:] and brings it again with more behind
// it. No application octets come as Received events; whatever else happens does come as an event. dst must not overlap src.
func (c *Conn) Open(dst, src []byte) (out []byte, consumed int, events []Event) { return dst, 0, nil }

// Output takes the octets that are to be written now: greeting, handshake messages, alerts. Nil if there are none.
// After Ended they are written before the connection is closed.
func (c *Conn) Output() []byte { return nil }

// Seal appends whatever Output would give, then records that carry octets, to dst. It does not allocate if dst has
// room: SealedSize(len(octets)) and what is pending. It fails with ErrNotEstablished before Established and after Close
// or Ended, and seals nothing then.
func (c *Conn) Seal(dst, octets []byte) (out []byte, err error) { return dst, ErrNotEstablished }

// SealedSize is how many octets at most Seal makes of n application octets, what is pending apart.
func (c *Conn) SealedSize(n int) int { return 0 }

// SealEarly is Seal for a client's early data, between ClientHello and ServerHello: it appends records that carry as
// many of the octets as the ticket and RES-14 still allow, and tells how many. None may be sent before the greetings
// are exchanged, after ServerHello, or without Config.EarlyData and a ticket that allows it.
func (c *Conn) SealEarly(dst, octets []byte) (out []byte, sent int) { return dst, 0 }

// Close ends the session in order: close_notify if it is established (CLS-1), else user_canceled (CLS-5). The owner
// writes Output, shuts down its writing side and reads on until Ended or its linger time (CLS-3). Later calls do nothing.
func (c *Conn) Close() []Event { return nil }

// EndOfFile tells that the peer's stream has ended: Truncated unless the session was over (CLS-4).
func (c *Conn) EndOfFile() []Event { return nil }

// Answer gives ZAP's verdict on the Question that was asked, and goes on with what was received meanwhile.
func (c *Conn) Answer(verdict Verdict) []Event { return nil }

// Rekey steps this side's sending key (ROT-2), or with generation begins a fresh key exchange: a client offers, a
// server requests (ROT-9, ROT-11). GenerationBegan tells that it is complete. It fails if the session is not
// established, and does nothing if an exchange is on its way or the generation is the last (ROT-16).
func (c *Conn) Rekey(generation bool) error { return ErrNotEstablished }

// Export gives n octets of keying material that both sides compute alike (KS-6).
func (c *Conn) Export(label string, context []byte, n int) ([]byte, error) {
	return nil, ErrNotEstablished
}

// Tick looks at the clock: a handshake that takes too long ends (SEC-2), a generation that is old is renewed (ROT-15).
func (c *Conn) Tick() []Event { return nil }

// NextDeadline is when Tick has something to do next; false if never.
func (c *Conn) NextDeadline() (time.Time, bool) { return time.Time{}, false }

// State is the state of the table handshake in spec/handshake.md, such as "wait_finished", for logs.
func (c *Conn) State() string { return "start" }
