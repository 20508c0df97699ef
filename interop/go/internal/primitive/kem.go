// Package primitive gives QZMQ its algorithms by their code points: key encapsulation, signatures, AEADs, hashes. The
// algorithms are the standard library's, ML-DSA is circl's; here are the checks that spec/registries.md wants of them.
package primitive

import (
	"fmt"
	"io"

	"qzmq.test/go/internal/alert"
	"qzmq.test/go/internal/registry"
)

// KEM is a key encapsulation mechanism of table kems. All randomness is read from rand, so that a test can repeat it.
type KEM interface {
	PublicKeySize() int  // octets
	CiphertextSize() int // octets
	// GenerateKey reads the seed d || z of ML-KEM (FIPS 203 algorithm 16), then the X25519 private key.
	GenerateKey(rand io.Reader) (KEMPrivateKey, error)
	// Encapsulate reads m of ML-KEM (FIPS 203 algorithm 17), then the ephemeral X25519 private key. The secret has 32
	// octets, a hybrid's 64. A public key of a wrong length or modulus is illegal_parameter (REG-4), so is an X25519
	// secret of zeros (REG-6).
	Encapsulate(public []byte, rand io.Reader) (ciphertext, secret []byte, err error)
}

// KEMPrivateKey is one side's key pair, made for one handshake or one offer (HS-7, ROT-13).
type KEMPrivateKey interface {
	PublicKey() []byte
	// Decapsulate returns the secret. A ciphertext of a wrong length is illegal_parameter (REG-5), so is an X25519
	// secret of zeros (REG-6); ML-KEM rejects any other wrong ciphertext implicitly, by another secret.
	Decapsulate(ciphertext []byte) (secret []byte, err error)
}

// NewKEM returns the KEM of that code point; an unlisted one is a local error.
func NewKEM(id registry.KemId) (KEM, error) {
	switch id {
	case registry.X25519:
		return x25519{}, nil
	case registry.MLKEM768:
		return mlkem768{}, nil
	case registry.MLKEM1024:
		return mlkem1024{}, nil
	case registry.X25519MLKEM768:
		return hybrid{mlkem768{}}, nil
	case registry.X25519MLKEM1024:
		return hybrid{mlkem1024{}}, nil
	}
	return nil, fmt.Errorf("KEM %v is not in the registry", id)
}

// hybrid puts X25519 behind an ML-KEM: public key, ciphertext and secret are each the two parts in this order (REG-3).
type hybrid struct{ first KEM }

type hybridKey struct{ first, second KEMPrivateKey }

func (h hybrid) PublicKeySize() int { return h.first.PublicKeySize() + x25519Size }

func (h hybrid) CiphertextSize() int { return h.first.CiphertextSize() + x25519Size }

func (h hybrid) GenerateKey(rand io.Reader) (KEMPrivateKey, error) {
	first, err := h.first.GenerateKey(rand)
	if err != nil {
		return nil, err
	}
	second, err := x25519{}.GenerateKey(rand)
	if err != nil {
		return nil, err
	}
	return hybridKey{first, second}, nil
}

func (h hybrid) Encapsulate(public []byte, rand io.Reader) (ciphertext, secret []byte, err error) {
	if len(public) != h.PublicKeySize() {
		return nil, nil, wrongPublicKey(len(public))
	}
	cut := h.first.PublicKeySize()
	ciphertext, secret, err = h.first.Encapsulate(public[:cut], rand)
	if err != nil {
		return nil, nil, err
	}
	second, more, err := x25519{}.Encapsulate(public[cut:], rand)
	if err != nil {
		return nil, nil, err
	}
	return append(ciphertext, second...), append(secret, more...), nil
}

func (k hybridKey) PublicKey() []byte { return append(k.first.PublicKey(), k.second.PublicKey()...) }

func (k hybridKey) Decapsulate(ciphertext []byte) ([]byte, error) {
	cut := len(ciphertext) - x25519Size
	if cut < 0 {
		return nil, wrongCiphertext(len(ciphertext))
	}
	secret, err := k.first.Decapsulate(ciphertext[:cut])
	if err != nil {
		return nil, err
	}
	more, err := k.second.Decapsulate(ciphertext[cut:])
	if err != nil {
		return nil, err
	}
	return append(secret, more...), nil
}

func wrongPublicKey(octets int) error {
	return alert.New(alert.IllegalParameter, "REG-4", "a KEM public key of %d octets is not one of the suite's", octets)
}

func wrongCiphertext(octets int) error {
	return alert.New(alert.IllegalParameter, "REG-5", "a KEM ciphertext of %d octets is not one of the suite's", octets)
}

// draw reads size octets of randomness.
func draw(rand io.Reader, size int) ([]byte, error) {
	octets := make([]byte, size)
	if _, err := io.ReadFull(rand, octets); err != nil {
		return nil, fmt.Errorf("no randomness: %w", err)
	}
	return octets, nil
}
