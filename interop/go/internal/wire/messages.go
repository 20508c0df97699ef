package wire

import "qzmq.test/go/internal/registry"

// Sizes in octets that structures share.
const (
	RandomSize = 32
	most16     = 1<<16 - 1
	most24     = 1<<24 - 1
)

// ClientHello opens a session (spec/handshake.md).
type ClientHello struct {
	Version    uint8
	Random     []byte           // 32 octets
	Suites     []registry.Suite // at least one
	Extensions []Extension
}

func (m *ClientHello) fields(c *coder) {
	integer(c, "version", &m.Version)
	c.array("random", &m.Random, RandomSize)
	list(c, "suites", &m.Suites, 4, 1<<16-4, suite)
	list(c, "extensions", &m.Extensions, 0, most16, extension)
}

// ServerHello is the server's choice and proof; its certificate is empty or a Certificate.
type ServerHello struct {
	Version      uint8
	Random       []byte // 32 octets
	Suite        registry.Suite
	KemPublicKey []byte
	Certificate  []byte
	Extensions   []Extension
	Signature    []byte // or the server's proof of a resumed session (RES-11)
}

func (m *ServerHello) fields(c *coder) {
	integer(c, "version", &m.Version)
	c.array("random", &m.Random, RandomSize)
	suite(c, &m.Suite)
	c.vector("kem_public_key", &m.KemPublicKey, 0, most16)
	c.vector("certificate", &m.Certificate, 0, most24)
	list(c, "extensions", &m.Extensions, 0, most16, extension)
	c.vector("signature", &m.Signature, 0, most16)
}

// ClientKey carries the KEM ciphertext and, sealed, a ClientAuth (HS-9).
type ClientKey struct {
	KemCiphertext []byte
	SealedAuth    []byte // at least the 16 octets of a tag
}

func (m *ClientKey) fields(c *coder) {
	c.vector("kem_ciphertext", &m.KemCiphertext, 0, most16)
	c.vector("sealed_auth", &m.SealedAuth, 16, most24)
}

// ClientAuth is who the client is and what it says of itself.
type ClientAuth struct {
	Certificate []byte // empty of an anonymous client
	Signature   []byte
	Metadata    []byte // a Metadata
	EarlyCount  uint32 // records of early data (HS-15)
	VerifyData  []byte // Hash.length octets
}

func (m *ClientAuth) fields(c *coder) {
	c.vector("certificate", &m.Certificate, 0, most24)
	c.vector("signature", &m.Signature, 0, most16)
	c.vector("metadata", &m.Metadata, 0, most16)
	integer(c, "early_count", &m.EarlyCount)
	c.digest("verify_data", &m.VerifyData)
}

// Finished is the server's last word of the handshake.
type Finished struct {
	Metadata   []byte // a Metadata
	VerifyData []byte // Hash.length octets
}

func (m *Finished) fields(c *coder) {
	c.vector("metadata", &m.Metadata, 0, most16)
	c.digest("verify_data", &m.VerifyData)
}

// HelloRetry asks a client for a puzzle's solution (spec/puzzle.md).
type HelloRetry struct {
	Version    uint8
	Cookie     []byte // 16 to 64 octets
	Difficulty uint8  // bits
}

func (m *HelloRetry) fields(c *coder) {
	integer(c, "version", &m.Version)
	c.vector("cookie", &m.Cookie, 16, 64)
	integer(c, "difficulty", &m.Difficulty)
}

// AlertBody is an alert's description, listed or not.
type AlertBody struct {
	Description uint8
}

func (m *AlertBody) fields(c *coder) { integer(c, "description", &m.Description) }

// Kind is a KeyUpdateKind: what a KeyUpdate is.
type Kind uint8

// The kinds of ROT-7.
const (
	Offer   Kind = 1
	Request Kind = 2
)

// KeyUpdate offers the public key of the next generation, or asks for such an offer (spec/rotation.md).
type KeyUpdate struct {
	Kind       Kind
	Generation uint8
	Body       []byte // the KEM public key of an offer, nothing of a request
}

func (m *KeyUpdate) fields(c *coder) {
	enumeration(c, "kind", &m.Kind, func(k Kind) bool { return k == Offer || k == Request })
	integer(c, "generation", &m.Generation)
	if m.Kind == Offer {
		c.vector("body", &m.Body, 0, most16)
		return
	}
	c.array("body", &m.Body, 0)
}

// KeyUpdateAck answers an offer.
type KeyUpdateAck struct {
	Generation    uint8
	KemCiphertext []byte
}

func (m *KeyUpdateAck) fields(c *coder) {
	integer(c, "generation", &m.Generation)
	c.vector("kem_ciphertext", &m.KemCiphertext, 0, most16)
}

// NewTicket lets a client come back (spec/resumption.md).
type NewTicket struct {
	Lifetime    uint32 // seconds, at most 604800 (RES-2)
	EarlyOctets uint32 // early data that the server would take; 0 is none
	Nonce       []byte // 1 to 255 octets
	Identity    []byte // 1 to 2^16-1 octets
}

func (m *NewTicket) fields(c *coder) {
	integer(c, "lifetime", &m.Lifetime)
	integer(c, "early_octets", &m.EarlyOctets)
	c.vector("nonce", &m.Nonce, 1, 255)
	c.vector("identity", &m.Identity, 1, most16)
}
