package primitive

import (
	"crypto/ecdh"
	"io"

	"qzmq.test/go/internal/alert"
)

// x25519Size is the length of an RFC 7748 private key, public key and secret in octets.
const x25519Size = 32

// x25519 is RFC 7748 as a KEM: the ciphertext is an ephemeral public key.
type x25519 struct{}

type x25519Key struct{ private *ecdh.PrivateKey }

func (x25519) PublicKeySize() int { return x25519Size }

func (x25519) CiphertextSize() int { return x25519Size }

// ecdh's own GenerateKey ignores its reader since Go 1.26.
func (x25519) GenerateKey(rand io.Reader) (KEMPrivateKey, error) {
	octets, err := draw(rand, x25519Size)
	if err != nil {
		return nil, err
	}
	private, err := ecdh.X25519().NewPrivateKey(octets)
	if err != nil {
		return nil, err
	}
	return x25519Key{private}, nil
}

func (k x25519) Encapsulate(public []byte, rand io.Reader) (ciphertext, secret []byte, err error) {
	if len(public) != x25519Size {
		return nil, nil, wrongPublicKey(len(public))
	}
	ephemeral, err := k.GenerateKey(rand)
	if err != nil {
		return nil, nil, err
	}
	secret, err = ephemeral.Decapsulate(public)
	if err != nil {
		return nil, nil, err
	}
	return ephemeral.PublicKey(), secret, nil
}

func (k x25519Key) PublicKey() []byte { return k.private.PublicKey().Bytes() }

// ECDH refuses nothing but a secret of zeros: every 32 octets are a public key.
func (k x25519Key) Decapsulate(ciphertext []byte) ([]byte, error) {
	public, err := ecdh.X25519().NewPublicKey(ciphertext)
	if err != nil {
		return nil, wrongCiphertext(len(ciphertext))
	}
	secret, err := k.private.ECDH(public)
	if err != nil {
		return nil, alert.New(alert.IllegalParameter, "REG-6", "the X25519 secret would be all zero")
	}
	return secret, nil
}
