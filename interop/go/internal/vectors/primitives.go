package vectors

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"

	"qzmq.test/go/internal/alert"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/registry"
)

type exchangedKey struct {
	Kem        registry.KemId
	Seed       Octets
	PublicKey  Octets `json:"public_key"`
	Randomness Octets
	Ciphertext Octets
}

// private makes the key pair of the seed, all of whose octets it takes.
func (k exchangedKey) private() (primitive.KEMPrivateKey, error) {
	kem, err := primitive.NewKEM(k.Kem)
	if err != nil {
		return nil, err
	}
	seed := bytes.NewReader(k.Seed)
	key, err := kem.GenerateKey(seed)
	if err == nil && seed.Len() > 0 {
		err = fmt.Errorf("vectors: %d octets of the seed are left", seed.Len())
	}
	return key, err
}

func generate(given exchangedKey) (Output, error) {
	key, err := given.private()
	if err != nil {
		return nil, err
	}
	return Output{"public_key": Octets(key.PublicKey())}, nil
}

func encapsulate(given exchangedKey) (Output, error) {
	kem, err := primitive.NewKEM(given.Kem)
	if err != nil {
		return nil, err
	}
	entropy := io.Reader(rand.Reader)
	if given.Randomness != nil {
		entropy = bytes.NewReader(given.Randomness)
	}
	ciphertext, secret, err := kem.Encapsulate(given.PublicKey, entropy)
	return Output{"ciphertext": Octets(ciphertext), "secret": Octets(secret)}, err
}

func decapsulate(given exchangedKey) (Output, error) {
	key, err := given.private()
	if err != nil {
		return nil, err
	}
	secret, err := key.Decapsulate(given.Ciphertext)
	return Output{"secret": Octets(secret)}, err
}

type signed struct {
	Sig       registry.SigId
	Signer    string
	Seed      Octets
	SPKI      Octets
	Digest    Octets
	Signature Octets
}

// message is what a side signs (HS-6, HS-13).
func (s signed) message() []byte {
	return fmt.Appendf(nil, "QZMQ-v1 %s signature\x00%s", s.Signer, s.Digest)
}

// sign leaves the randomness of a hedged signature alone: the ML-DSA library draws its own.
func sign(given signed) (Output, error) {
	key, err := signingKey(given.Sig, given.Seed)
	if err != nil {
		return nil, err
	}
	signature, err := key.Sign(given.message())
	return Output{"spki": Octets(key.SPKI()), "signature": Octets(signature)}, err
}

func signingKey(sig registry.SigId, seed []byte) (primitive.SigningKey, error) {
	if len(seed) != primitive.SeedSize {
		return nil, fmt.Errorf("vectors: a seed of %d octets", len(seed))
	}
	return primitive.NewSigningKey(sig, [primitive.SeedSize]byte(seed))
}

func verifySignature(given signed) (Output, error) {
	public, err := primitive.ParsePublicKey(given.SPKI)
	if err != nil {
		return nil, err
	}
	if !public.Verify(given.message(), given.Signature) {
		requirement := map[string]string{"server": "HS-6", "client": "HS-13"}[given.Signer]
		return nil, alert.New(alert.DecryptError, requirement, "wrong signature")
	}
	return Output{}, nil
}
