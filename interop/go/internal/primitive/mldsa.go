package primitive

import (
	"bytes"
	"fmt"

	"github.com/cloudflare/circl/sign/mldsa/mldsa44"
	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
	"github.com/cloudflare/circl/sign/mldsa/mldsa87"

	"qzmq.test/go/internal/registry"
)

type signer = func(message []byte) (signature []byte, err error)

type verifier = func(message, signature []byte) bool

var mldsaGenerators = map[registry.SigId]func(seed [SeedSize]byte) (public []byte, sign signer){
	registry.MLDSA44: generator(mldsa44.NewKeyFromSeed, mldsa44.SignTo, mldsa44.SignatureSize),
	registry.MLDSA65: generator(mldsa65.NewKeyFromSeed, mldsa65.SignTo, mldsa65.SignatureSize),
	registry.MLDSA87: generator(mldsa87.NewKeyFromSeed, mldsa87.SignTo, mldsa87.SignatureSize),
}

var mldsaParsers = map[registry.SigId]func(public []byte) (verifier, error){
	registry.MLDSA44: parser(mldsa44.Verify),
	registry.MLDSA65: parser(mldsa65.Verify),
	registry.MLDSA87: parser(mldsa87.Verify),
}

// generator adapts one parameter set of FIPS 204: key generation from xi (algorithm 6), hedged signing (algorithm 2).
func generator[P interface{ Bytes() []byte }, S any](
	derive func(*[SeedSize]byte) (P, S),
	signTo func(secret S, message, context []byte, hedged bool, signature []byte) error,
	size int,
) func([SeedSize]byte) ([]byte, signer) {
	return func(seed [SeedSize]byte) ([]byte, signer) {
		defer cleanVectors()
		public, secret := derive(&seed)
		return public.Bytes(), func(message []byte) ([]byte, error) {
			defer cleanVectors()
			signature := make([]byte, size)
			if err := signTo(secret, message, nil, true, signature); err != nil {
				return nil, fmt.Errorf("ML-DSA: %w", err)
			}
			return signature, nil
		}
	}
}

// parser adapts one parameter set of FIPS 204: public key decoding (algorithm 23), verification (algorithm 3).
func parser[T any, P interface {
	*T
	UnmarshalBinary([]byte) error
}](verify func(public P, message, context, signature []byte) bool) func([]byte) (verifier, error) {
	return func(octets []byte) (verifier, error) {
		defer cleanVectors()
		public := P(new(T))
		if err := public.UnmarshalBinary(octets); err != nil {
			return nil, fmt.Errorf("ML-DSA public key: %w", err)
		}
		return func(message, signature []byte) bool {
			defer cleanVectors()
			return verify(public, message, nil, signature)
		}, nil
	}
}

// cleanVectors undoes what the library leaves behind: its AVX2 code returns without VZEROUPPER, after which SHA-256 by
// the processor's own instructions is fifty times slower on this thread (measured on a Zen 3). bytes.IndexByte ends with
// that instruction where the processor has AVX2, and costs nothing where it has not.
func cleanVectors() { bytes.IndexByte(make([]byte, 64), 1) }
