package primitive

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"

	"qzmq.test/go/internal/registry"
)

// SeedSize is the length of a kept secret key in octets: RFC 8032 private key, or FIPS 204 xi.
const SeedSize = 32

// SigningKey is a long-term secret key. It signs QZMQ handshakes and nothing else (CERT-5).
type SigningKey interface {
	Sig() registry.SigId
	SPKI() []byte // the public key's DER SubjectPublicKeyInfo; it must not be changed
	// Sign signs the message: Ed25519, or ML-DSA pure, with an empty context and hedged (table signatures). The hedge
	// is drawn from crypto/rand by the library, which takes no other reader.
	Sign(message []byte) (signature []byte, err error)
}

// PublicKey verifies what a SigningKey signed.
type PublicKey interface {
	Sig() registry.SigId
	SPKI() []byte // DER SubjectPublicKeyInfo; it must not be changed
	// Verify reports whether the signature is the message's. A signature of a wrong length is wrong; so is an Ed25519
	// signature whose S is not below the group's order (RFC 8032 section 5.1.7), or an ML-DSA signature whose hint or
	// z is out of range (FIPS 204 algorithm 3).
	Verify(message, signature []byte) bool
}

// NewSigningKey returns the key that grows from a seed of 32 octets; an unlisted algorithm is a local error.
func NewSigningKey(id registry.SigId, seed [SeedSize]byte) (SigningKey, error) {
	if id == registry.Ed25519 {
		private := ed25519.NewKeyFromSeed(seed[:])
		sign := func(message []byte) ([]byte, error) { return ed25519.Sign(private, message), nil }
		return signingKey{id, encodeSPKI(id, private.Public().(ed25519.PublicKey)), sign}, nil
	}
	generate, listed := mldsaGenerators[id]
	if !listed {
		return nil, fmt.Errorf("signature algorithm %v is not in the registry", id)
	}
	public, sign := generate(seed)
	return signingKey{id, encodeSPKI(id, public), sign}, nil
}

// ParsePublicKey reads exactly one DER SubjectPublicKeyInfo of an algorithm of table signatures (CERT-2). DER leaves
// one encoding to each (RFC 8410, RFC 9881): absent parameters, no unused bits, definite and shortest lengths.
func ParsePublicKey(spki []byte) (PublicKey, error) {
	spki = bytes.Clone(spki) // out of the buffer of a connection
	id, public, err := splitSPKI(spki)
	if err != nil {
		return nil, err
	}
	key := publicKey{id: id, spki: spki}
	if id == registry.Ed25519 {
		point := ed25519.PublicKey(public)
		key.verify = func(message, signature []byte) bool { return ed25519.Verify(point, message, signature) }
		return key, nil
	}
	if key.verify, err = mldsaParsers[id](public); err != nil {
		return nil, err
	}
	return key, nil
}

// Pin returns the SHA-256 of a SubjectPublicKeyInfo: the public key as people write it (spec/certificates.md).
func Pin(spki []byte) [sha256.Size]byte { return sha256.Sum256(spki) }

type signingKey struct {
	id   registry.SigId
	spki []byte
	sign func(message []byte) ([]byte, error)
}

func (k signingKey) Sig() registry.SigId { return k.id }

func (k signingKey) SPKI() []byte { return k.spki }

func (k signingKey) Sign(message []byte) ([]byte, error) { return k.sign(message) }

// String names algorithm and pin; the seed is not even kept (SEC-7).
func (k signingKey) String() string { return fmt.Sprintf("%v key with pin %x", k.id, Pin(k.spki)) }

type publicKey struct {
	id     registry.SigId
	spki   []byte
	verify func(message, signature []byte) bool
}

func (k publicKey) Sig() registry.SigId { return k.id }

func (k publicKey) SPKI() []byte { return k.spki }

func (k publicKey) Verify(message, signature []byte) bool {
	sizes, _ := k.id.Sizes()
	return len(signature) == sizes.Signature && k.verify(message, signature)
}
