package handshake

import (
	"fmt"
	"time"

	"qzmq.test/go/internal/certificate"
	"qzmq.test/go/internal/registry"
)

// Ticket is what a client keeps of a session to come back (spec/resumption.md). It is single use.
type Ticket struct {
	Identity       []byte // what the server calls it
	PSK            []byte // Hash.length octets, secret
	Suite          registry.Suite
	EarlyOctets    uint32
	Signed         time.Time // when both sides last signed (RES-2)
	Expires        time.Time
	Certificate    []byte // the server's Certificate, to judge anew (RES-6)
	ServerMetadata []byte // as the server sent it; another ends the session (RES-12)
	OwnPin         Pin    // the key and the metadata that the client had then (RES-7)
	OwnMetadata    []byte
}

// String does not show the secret (SEC-7).
func (t Ticket) String() string { return fmt.Sprintf("a ticket of %v until %v", t.Suite, t.Expires) }

// GoString is String.
func (t Ticket) GoString() string { return t.String() }

// TicketCache keeps a client's tickets of one server. Its methods may be called from many sessions at once.
type TicketCache interface {
	Take() *Ticket                     // removes and gives one, nil if there is none
	Put(session *SessionID, t *Ticket) // keeps one
	Discard(session *SessionID)        // forgets those of a session (RES-3)
}

// SessionID tells sessions apart in a store; its address is its identity.
type SessionID struct{ _ byte }

// Issued is what a server keeps of a session under a ticket's identity (RES-5).
type Issued struct {
	PSK            []byte // Hash.length octets, secret
	Suite          registry.Suite
	EarlyOctets    uint32
	Signed         time.Time // when both sides last signed (RES-2)
	Expires        time.Time
	Certificate    []byte   // the client's Certificate, to judge anew (RES-6); empty for an anonymous client
	ClientMetadata []byte   // as the client sent it
	ServerMetadata []byte   // as this server sent it
	Listener       [32]byte // digest of the configuration that issued it
}

// String does not show the secret (SEC-7).
func (t Issued) String() string { return fmt.Sprintf("a ticket of %v until %v", t.Suite, t.Expires) }

// GoString is String.
func (t Issued) GoString() string { return t.String() }

// TicketStore keeps a server's tickets. Its methods may be called from many sessions at once.
type TicketStore interface {
	Find(identity []byte) *Issued                            // looks, without taking: the binder comes first (RES-9)
	Take(identity []byte) bool                               // removes it atomically: true for one caller only (RES-4)
	Put(session *SessionID, identity []byte, issued *Issued) // keeps one
	Discard(session *SessionID)                              // forgets those of a session (RES-3)
}

// ticketState is the ticket of this handshake.
type ticketState struct {
	offered      *Ticket // client
	taken        *Issued // server
	server       *certificate.Peer
	peerMetadata []byte // what the peer said of itself then
	signedAt     time.Time
}

// psk is the ticket's secret if the session is resumed, else nil.
func (t *ticketState) psk(resumed bool) []byte {
	switch {
	case !resumed:
		return nil
	case t.offered != nil:
		return t.offered.PSK
	}
	return t.taken.PSK
}

// signed is when both sides last signed.
func (t *ticketState) signed(resumed bool, now time.Time) time.Time {
	switch {
	case !resumed:
		return now
	case t.offered != nil:
		return t.offered.Signed
	}
	return t.taken.Signed
}
