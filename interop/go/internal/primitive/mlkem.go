package primitive

import (
	"crypto/mlkem"
	"crypto/mlkem/mlkemtest"
	cryptorand "crypto/rand"
	"io"

	"qzmq.test/go/internal/alert"
)

// mlkemRandom is the length of m of FIPS 203 algorithm 17 in octets.
const mlkemRandom = 32

type mlkem768 struct{}

type mlkem768Key struct{ private *mlkem.DecapsulationKey768 }

func (mlkem768) PublicKeySize() int { return mlkem.EncapsulationKeySize768 }

func (mlkem768) CiphertextSize() int { return mlkem.CiphertextSize768 }

func (mlkem768) GenerateKey(rand io.Reader) (KEMPrivateKey, error) {
	seed, err := draw(rand, mlkem.SeedSize)
	if err != nil {
		return nil, err
	}
	private, err := mlkem.NewDecapsulationKey768(seed)
	if err != nil {
		return nil, err
	}
	return mlkem768Key{private}, nil
}

func (mlkem768) Encapsulate(public []byte, rand io.Reader) (ciphertext, secret []byte, err error) {
	key, err := mlkem.NewEncapsulationKey768(public)
	if err != nil {
		return nil, nil, malformed(public, mlkem.EncapsulationKeySize768)
	}
	return encapsulate(key, mlkemtest.Encapsulate768, rand)
}

func (k mlkem768Key) PublicKey() []byte { return k.private.EncapsulationKey().Bytes() }

func (k mlkem768Key) Decapsulate(ciphertext []byte) ([]byte, error) {
	secret, err := k.private.Decapsulate(ciphertext)
	if err != nil {
		return nil, wrongCiphertext(len(ciphertext))
	}
	return secret, nil
}

type mlkem1024 struct{}

type mlkem1024Key struct{ private *mlkem.DecapsulationKey1024 }

func (mlkem1024) PublicKeySize() int { return mlkem.EncapsulationKeySize1024 }

func (mlkem1024) CiphertextSize() int { return mlkem.CiphertextSize1024 }

func (mlkem1024) GenerateKey(rand io.Reader) (KEMPrivateKey, error) {
	seed, err := draw(rand, mlkem.SeedSize)
	if err != nil {
		return nil, err
	}
	private, err := mlkem.NewDecapsulationKey1024(seed)
	if err != nil {
		return nil, err
	}
	return mlkem1024Key{private}, nil
}

func (mlkem1024) Encapsulate(public []byte, rand io.Reader) (ciphertext, secret []byte, err error) {
	key, err := mlkem.NewEncapsulationKey1024(public)
	if err != nil {
		return nil, nil, malformed(public, mlkem.EncapsulationKeySize1024)
	}
	return encapsulate(key, mlkemtest.Encapsulate1024, rand)
}

func (k mlkem1024Key) PublicKey() []byte { return k.private.EncapsulationKey().Bytes() }

func (k mlkem1024Key) Decapsulate(ciphertext []byte) ([]byte, error) {
	secret, err := k.private.Decapsulate(ciphertext)
	if err != nil {
		return nil, wrongCiphertext(len(ciphertext))
	}
	return secret, nil
}

type encapsulationKey interface {
	Encapsulate() (secret, ciphertext []byte)
}

// encapsulate uses the library's own randomness where rand is the system's, and its derandomised form where a test
// brings another reader: FIPS 203 section 3.3 wants that form kept from applications.
func encapsulate[K encapsulationKey](key K, derandomised func(K, []byte) (secret, ciphertext []byte, err error),
	rand io.Reader) (ciphertext, secret []byte, err error) {
	if rand == cryptorand.Reader {
		secret, ciphertext = key.Encapsulate()
		return ciphertext, secret, nil
	}
	m, err := draw(rand, mlkemRandom)
	if err != nil {
		return nil, nil, err
	}
	secret, ciphertext, err = derandomised(key, m)
	return ciphertext, secret, err
}

// malformed tells why the library refused a public key: its length, or a coefficient (FIPS 203 section 7.2).
func malformed(public []byte, size int) error {
	if len(public) != size {
		return wrongPublicKey(len(public))
	}
	return alert.New(alert.IllegalParameter, "REG-4", "a coefficient of the ML-KEM public key is not below 3329")
}
