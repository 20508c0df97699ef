package primitive

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"

	"qzmq.test/go/internal/registry"
)

// Hash is a hash of table hashes with what RFC 2104 and RFC 5869 make of it.
type Hash struct {
	id  registry.HashId
	new func() hash.Hash
}

// NewHash returns the hash of that code point; an unlisted or reserved one is a local error.
func NewHash(id registry.HashId) (Hash, error) {
	switch id {
	case registry.SHA256:
		return Hash{id, sha256.New}, nil
	case registry.SHA384:
		return Hash{id, sha512.New384}, nil
	case registry.SHA512:
		return Hash{id, sha512.New}, nil
	}
	return Hash{}, fmt.Errorf("no suite uses the hash %v", id)
}

// ID returns the code point.
func (h Hash) ID() registry.HashId { return h.id }

// New starts a running hash.
func (h Hash) New() hash.Hash { return h.new() }

// Size returns Hash.length in octets.
func (h Hash) Size() int {
	octets, _ := h.id.Size()
	return octets
}

// Sum returns the hash of the parts, one behind the other: Size octets.
func (h Hash) Sum(parts ...[]byte) []byte { return write(h.new(), parts) }

// HMAC returns HMAC(key, parts) of RFC 2104, the parts one behind the other: Size octets.
func (h Hash) HMAC(key []byte, parts ...[]byte) []byte { return write(hmac.New(h.new, key), parts) }

// Extract returns HKDF-Extract(salt, ikm) of RFC 5869: Size octets.
func (h Hash) Extract(salt, ikm []byte) []byte { return h.HMAC(salt, ikm) }

// MaxExpand returns the most octets that Expand can give: 255 blocks (RFC 5869 section 2.3).
func (h Hash) MaxExpand() int { return 255 * h.Size() }

// Expand returns HKDF-Expand(secret, info, length) of RFC 5869: length octets. It panics beyond MaxExpand: every length
// of the key schedule is fixed, and who takes one from a user compares it first.
func (h Hash) Expand(secret, info []byte, length int) []byte {
	okm, err := hkdf.Expand(h.new, secret, string(info), length)
	if err != nil {
		panic(fmt.Sprintf("HKDF-Expand of %d octets: %v", length, err))
	}
	return okm
}

func write(to hash.Hash, parts [][]byte) []byte {
	for _, part := range parts {
		to.Write(part) // a hash never fails
	}
	return to.Sum(nil)
}
