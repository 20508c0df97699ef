package handshake

import (
	"errors"
	"io"
	"time"

	"qzmq.test/go/internal/certificate"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/wire"
)

// Role is a side's part in a session: local configuration, fixed before the first octet (spec/bindings.md).
type Role uint8

// The two roles. Both stands in rows of the table alone.
const (
	Client Role = iota
	Server
	Both
)

// String gives the role's name in the table of spec/handshake.md.
func (r Role) String() string { return [...]string{"client", "server", "both"}[r] }

// Opposite is the role of the peer.
func (r Role) Opposite() Role {
	if r == Client {
		return Server
	}
	return Client
}

// Pin is the SHA-256 of a SubjectPublicKeyInfo (spec/certificates.md).
type Pin = [32]byte

// Property is one name and value of metadata, as READY would carry it (spec/patterns.md).
type Property = wire.Property

// Retry says when a server asks for a puzzle (spec/puzzle.md).
type Retry uint8

// The policies of HS-64. RetryUnderLoad asks Config.Loaded.
const (
	RetryNever Retry = iota
	RetryUnderLoad
	RetryAlways
)

// DefaultTickets is how many tickets a server sends after Finished (RES-1).
const DefaultTickets = 2

// Config is all that a session needs to know before its first octet. It is read only and may serve many sessions.
type Config struct {
	Role   Role
	Policy registry.Policy
	Key    primitive.SigningKey // long-term key; a server must have one (CERT-6), nil is an anonymous client

	ServerPins []Pin               // client: the keys that it trusts (CERT-3)
	ClientPins map[Pin]struct{}    // server: the keys that it admits (CERT-4); nil admits anyone and asks for no certificate
	Anchors    certificate.Anchors // authorities that are trusted beside the pins (CERT-9)
	ServerName string              // client with anchors: the DNS name or address its server must have (CERT-16)
	Chain      [][]byte            // this side's own certificates, DER, leaf first (CERT-17); empty sends the raw key

	SocketType    string     // Socket-Type in the zmtp binding; empty in raw, where metadata is too (PAT-8)
	Metadata      []Property // what READY would carry; its Socket-Type is set from SocketType if it is missing
	IdentityIsPin bool       // demand PAT-9 of the peer

	Padding int // pad the octets of data records to a multiple of this (REC-13); 0 does not pad

	Retry      Retry       // server: whether to ask for puzzles
	Loaded     func() bool // server, RetryUnderLoad: whether the endpoint is loaded (spec/security.md)
	Difficulty int         // server: bits of the puzzle, at most 20 (PUZ-3)

	Issued    TicketStore // server: where tickets are kept; nil issues and takes none
	Tickets   int         // server: how many tickets to send (RES-1)
	Held      TicketCache // client: tickets of this server; nil offers and keeps none
	EarlyData bool        // announce early data (client) or accept it (server); off by default

	// AsksZap is asked for each ClientHello (ZAP-1): whether ZAP decides about this client, or an alert if a handler is
	// demanded and missing. The session then emits Question and waits for Conn.Answer. Nil never asks.
	AsksZap func() (bool, error)

	Rand io.Reader        // a cryptographic generator (HS-8), such as crypto/rand.Reader
	Now  func() time.Time // wall and monotonic clock, such as time.Now
}

// Check gives the local error that keeps the session from starting (CERT-6, POL-1 to POL-8, POL-16), or nil.
func (c *Config) Check() error {
	if err := c.Policy.Check(); err != nil {
		return err
	}
	if c.Rand == nil || c.Now == nil {
		return errors.New("handshake: Config needs Rand and Now")
	}
	if c.Difficulty < 0 || c.Difficulty > registry.Ceilings().PuzzleDifficulty {
		return errors.New("handshake: Difficulty is above 20 bits (PUZ-3)")
	}
	if c.Role == Client {
		return c.checkClient()
	}
	return c.checkServer()
}

func (c *Config) checkClient() error {
	if len(c.ServerPins) == 0 && len(c.Anchors) == 0 {
		return errors.New("handshake: a client needs the pin of its server or an anchor (CERT-6)")
	}
	if len(c.Anchors) > 0 && c.ServerName == "" {
		return errors.New("handshake: a client with anchors needs ServerName (CERT-16)")
	}
	return nil
}

func (c *Config) checkServer() error {
	if c.Key == nil {
		return errors.New("handshake: a server needs a key (CERT-6)")
	}
	return c.Policy.CheckServerKey(c.Key.Sig())
}
