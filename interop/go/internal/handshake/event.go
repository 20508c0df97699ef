package handshake

import (
	"qzmq.test/go/internal/alert"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/wire"
)

// Event is what a session has to tell its owner: one of the types below.
type Event interface{ event() }

// Established says that the handshake is over and application octets may flow.
type Established struct{ Peer Peer }

// Peer is what is known of the other side.
type Peer struct {
	SPKI     []byte // its SubjectPublicKeyInfo, DER; nil for an anonymous client
	Pin      Pin    // SHA-256 of SPKI, zero if that is nil
	Suite    registry.Suite
	Metadata []Property // without reserved names (PAT-5), spelled as PAT-6 says, with what PAT-10 adds; empty in raw
	Resumed  bool       // the session came from a ticket
}

// Received carries application octets, in order and without the cuts of records (REC-12).
type Received struct{ Octets []byte }

// EarlyReceived carries octets that a server received before the client's ClientKey (RES-16). They are not fresh
// against a replay to another server, and the client may still turn out to be refused.
type EarlyReceived struct{ Octets []byte }

// EarlyAnswered tells a client what became of its early octets (RES-15, RES-18). After EarlyRejected, and only then,
// they may be sent again without asking the application.
type EarlyAnswered struct{ Status EarlyStatus }

// EarlyStatus is an EarlyDataStatus.
type EarlyStatus = wire.Status

// The answers of RES-15.
const (
	EarlyAccepted = wire.Accepted
	EarlyRejected = wire.Rejected
	EarlyUnknown  = wire.Unknown
)

// NewTicket tells a client that its TicketCache has been given a ticket (RES-1).
type NewTicket struct{}

// GenerationBegan tells that a fresh key exchange is complete and Generation is in use for sending (ROT-14).
type GenerationBegan struct{ Generation uint8 }

// Question asks ZAP about a client (ZAP-3, table zap-request). No message is read before Conn.Answer.
type Question struct {
	Address     string // the client's network address without a port
	Identity    []byte // Identity of the client's metadata; may be empty
	Credentials []byte // the client's SubjectPublicKeyInfo, DER; nil for an anonymous client
}

// Verdict is ZAP's answer (table zap-status). Any Status but 200, 300, 400 and 500 is a reply that RFC 27 does not
// know (ZAP-11); so is zero, for a handler that ended without one.
type Verdict struct {
	Status   int
	UserID   string
	Metadata []Property
}

// Reason says how a session ended.
type Reason uint8

// The reasons of Ended.
const (
	Closed    Reason = iota // both sides closed in order (CLS-2), or this side gave up its handshake (CLS-5)
	Truncated               // the stream ended without close_notify (CLS-4)
	Alerted                 // the peer broke a rule; Alert says which
	PeerAlert               // the peer sent Alert
)

// String names the reason in a word.
func (r Reason) String() string {
	return [...]string{"closed", "truncated", "alert", "peer_alert"}[r]
}

// Ended is the last event of a session. Output may still have an alert to write; then the connection is closed.
type Ended struct {
	Reason        Reason
	Alert         *alert.Alert // of Alerted and PeerAlert
	Authenticated bool         // PeerAlert: it came in a record
	Final         bool         // client: it must not connect again by itself (ALR-6)
}

func (Established) event()     {}
func (Received) event()        {}
func (EarlyReceived) event()   {}
func (EarlyAnswered) event()   {}
func (NewTicket) event()       {}
func (GenerationBegan) event() {}
func (Question) event()        {}
func (Ended) event()           {}
