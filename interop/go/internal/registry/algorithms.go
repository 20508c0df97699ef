// Package registry holds the code points of QZMQ/1 (spec/registries.md) and what people choose among them: cipher
// suites, modes, presets and policies (spec/policies.md).
package registry

import "fmt"

// KemId names a key encapsulation mechanism, one octet on the wire. It is an open enum: an unlisted value is legal in
// an offer and chosen by nobody.
type KemId uint8

// The KEMs of QZMQ/1. A hybrid is the ML-KEM part, then the X25519 part (REG-3).
const (
	X25519          KemId = 0
	MLKEM768        KemId = 1
	MLKEM1024       KemId = 2
	X25519MLKEM768  KemId = 3
	X25519MLKEM1024 KemId = 4
)

// SigId names a signature algorithm, one octet on the wire; an open enum.
type SigId uint8

// The signature algorithms of QZMQ/1. ML-DSA is pure, with an empty context, and hedged (FIPS 204).
const (
	Ed25519 SigId = 0
	MLDSA44 SigId = 1
	MLDSA65 SigId = 2
	MLDSA87 SigId = 3
)

// AeadId names a record cipher, one octet on the wire; an open enum. Key 32, nonce 12 and tag 16 octets, all of them.
type AeadId uint8

// The AEADs of QZMQ/1.
const (
	AES256GCM        AeadId = 0
	ChaCha20Poly1305 AeadId = 1
)

// HashId names the hash of transcript and key schedule, one octet on the wire; an open enum.
type HashId uint8

// The hashes of QZMQ/1. BLAKE3 is reserved: no suite uses it.
const (
	SHA256 HashId = 0
	SHA384 HashId = 1
	SHA512 HashId = 2
	BLAKE3 HashId = 3
)

var (
	kemNames  = names[KemId]{"x25519", "ml_kem_768", "ml_kem_1024", "x25519_ml_kem_768", "x25519_ml_kem_1024"}
	sigNames  = names[SigId]{"ed25519", "ml_dsa_44", "ml_dsa_65", "ml_dsa_87"}
	aeadNames = names[AeadId]{"aes_256_gcm", "chacha20_poly1305"}
	hashNames = names[HashId]{"sha_256", "sha_384", "sha_512", "blake3"}
)

// String returns the specification's name, or the number of an unlisted value.
func (id KemId) String() string { return kemNames.of(id) }

// String returns the specification's name, or the number of an unlisted value.
func (id SigId) String() string { return sigNames.of(id) }

// String returns the specification's name, or the number of an unlisted value.
func (id AeadId) String() string { return aeadNames.of(id) }

// String returns the specification's name, or the number of an unlisted value.
func (id HashId) String() string { return hashNames.of(id) }

// KemIdOf returns the KEM of that name.
func KemIdOf(name string) (KemId, error) { return kemNames.find("KemId", name) }

// SigIdOf returns the signature algorithm of that name.
func SigIdOf(name string) (SigId, error) { return sigNames.find("SigId", name) }

// AeadIdOf returns the AEAD of that name.
func AeadIdOf(name string) (AeadId, error) { return aeadNames.find("AeadId", name) }

// HashIdOf returns the hash of that name.
func HashIdOf(name string) (HashId, error) { return hashNames.find("HashId", name) }

// names lists the names of an enum whose values are 0, 1, 2 and so on.
type names[T ~uint8] []string

func (n names[T]) of(value T) string {
	if int(value) < len(n) {
		return n[value]
	}
	return fmt.Sprintf("%#04x", uint8(value))
}

func (n names[T]) find(enum, name string) (T, error) {
	for value, listed := range n {
		if listed == name {
			return T(value), nil
		}
	}
	return 0, fmt.Errorf("no %s is called %q; the names are %v", enum, name, []string(n))
}

// UnmarshalText reads what String writes.
func (id *KemId) UnmarshalText(text []byte) (err error) {
	*id, err = KemIdOf(string(text))
	return err
}

// UnmarshalText reads what String writes.
func (id *SigId) UnmarshalText(text []byte) (err error) {
	*id, err = SigIdOf(string(text))
	return err
}

// UnmarshalText reads what String writes.
func (id *AeadId) UnmarshalText(text []byte) (err error) {
	*id, err = AeadIdOf(string(text))
	return err
}

// UnmarshalText reads what String writes.
func (id *HashId) UnmarshalText(text []byte) (err error) {
	*id, err = HashIdOf(string(text))
	return err
}
