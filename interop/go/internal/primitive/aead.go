package primitive

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"

	"qzmq.test/go/internal/registry"
)

// NewAEAD returns the AEAD of that code point under a key of 32 octets; its nonce has 12 octets, its tag 16 (table
// aeads). An unlisted one, or a key of another length, is a local error.
func NewAEAD(id registry.AeadId, key []byte) (cipher.AEAD, error) {
	if len(key) != registry.KeySize {
		return nil, fmt.Errorf("an AEAD key has %d octets, not %d", registry.KeySize, len(key))
	}
	switch id {
	case registry.AES256GCM:
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, err
		}
		return cipher.NewGCM(block)
	case registry.ChaCha20Poly1305:
		return chacha20poly1305.New(key)
	}
	return nil, fmt.Errorf("AEAD %v is not in the registry", id)
}
