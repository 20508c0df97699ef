package handshake

import (
	"time"

	"qzmq.test/go/internal/registry"
)

// Ticket is what a client keeps of a session to come back (spec/resumption.md). It is single use.
type Ticket struct {
	Identity       []byte // what the server calls it
	PSK            []byte // Hash.length octets, secret
	Suite          registry.Suite
	EarlyOctets    uint32
	Expires        time.Time
	Certificate    []byte     // the server's Certificate, to judge anew (RES-6)
	ServerMetadata []Property // the server's words as it sent them; another set ends the session (RES-12)
	OwnPin         Pin        // the key and the metadata that the client had then (RES-7)
	OwnMetadata    []byte
}

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

// TicketStore keeps a server's tickets. Its methods may be called from many sessions at once.
type TicketStore interface {
	Find(identity []byte) *Issued                            // looks, without taking: the binder comes first (RES-9)
	Take(identity []byte) bool                               // removes it atomically: true for one caller only (RES-4)
	Put(session *SessionID, identity []byte, issued *Issued) // keeps one
	Discard(session *SessionID)                              // forgets those of a session (RES-3)
}
