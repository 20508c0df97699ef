package primitive_test

import (
	"bytes"
	"crypto/rand"
	"testing"

	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/registry"
)

var kems = []registry.KemId{registry.X25519, registry.MLKEM768, registry.MLKEM1024, registry.X25519MLKEM768, registry.X25519MLKEM1024}

// The library's own randomness and another reader are two ways through ML-KEM: this is the one that sessions take.
func TestKEMSystemRandomness(t *testing.T) {
	for _, id := range kems {
		t.Run(id.String(), func(t *testing.T) {
			kem, sizes := mustKEM(t, id)
			private, err := kem.GenerateKey(rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			ciphertext, secret, err := kem.Encapsulate(private.PublicKey(), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			got, err := private.Decapsulate(ciphertext)
			if err != nil || !bytes.Equal(got, secret) {
				t.Fatalf("decapsulated %x (%v), not %x", got, err, secret)
			}
			found := registry.KemSizes{PublicKey: len(private.PublicKey()), Ciphertext: len(ciphertext), Secret: len(secret)}
			if found != sizes {
				t.Errorf("sizes are %+v, not %+v", found, sizes)
			}
			again, _, err := kem.Encapsulate(private.PublicKey(), rand.Reader)
			if err != nil || bytes.Equal(again, ciphertext) {
				t.Errorf("a second encapsulation is like the first (%v)", err)
			}
		})
	}
}

func mustKEM(t testing.TB, id registry.KemId) (primitive.KEM, registry.KemSizes) {
	t.Helper()
	kem, err := primitive.NewKEM(id)
	if err != nil {
		t.Fatal(err)
	}
	sizes, _ := id.Sizes()
	if kem.PublicKeySize() != sizes.PublicKey || kem.CiphertextSize() != sizes.Ciphertext {
		t.Fatalf("%v has sizes %d and %d, not %+v", id, kem.PublicKeySize(), kem.CiphertextSize(), sizes)
	}
	return kem, sizes
}

// Every length but the right one is refused, both of public keys (REG-4) and of ciphertexts (REG-5).
func TestKEMLengths(t *testing.T) {
	for _, id := range kems {
		kem, sizes := mustKEM(t, id)
		private, err := kem.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		for length := range 2 * max(sizes.PublicKey, sizes.Ciphertext) {
			octets := bytes.Repeat([]byte{9}, length)
			if _, _, err := kem.Encapsulate(octets, rand.Reader); (err == nil) != (length == sizes.PublicKey) {
				t.Errorf("%v: a public key of %d octets: %v", id, length, err)
			}
			if _, err := private.Decapsulate(octets); (err == nil) != (length == sizes.Ciphertext) {
				t.Errorf("%v: a ciphertext of %d octets: %v", id, length, err)
			}
		}
	}
}

// Without randomness nothing is made up.
func TestKEMWithoutRandomness(t *testing.T) {
	for _, id := range kems {
		kem, _ := mustKEM(t, id)
		private, err := kem.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		short := func() *bytes.Reader { return bytes.NewReader(make([]byte, 31)) }
		if _, err := kem.GenerateKey(short()); err == nil {
			t.Errorf("%v: made a key of 31 octets of randomness", id)
		}
		if _, _, err := kem.Encapsulate(private.PublicKey(), short()); err == nil {
			t.Errorf("%v: encapsulated with 31 octets of randomness", id)
		}
	}
	if _, err := primitive.NewKEM(5); err == nil {
		t.Error("a KEM that no registry lists")
	}
}

// Whatever a peer sends as public key or ciphertext ends in an error or a secret, never in a panic.
func FuzzKEM(f *testing.F) {
	f.Add(uint8(registry.X25519MLKEM768), make([]byte, 1216))
	f.Fuzz(func(t *testing.T, id uint8, octets []byte) {
		kem, err := primitive.NewKEM(registry.KemId(id % 5))
		if err != nil {
			t.Fatal(err)
		}
		private, err := kem.GenerateKey(bytes.NewReader(bytes.Repeat([]byte{7}, 96)))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := kem.Encapsulate(octets, bytes.NewReader(make([]byte, 64))); err == nil && len(octets) != kem.PublicKeySize() {
			t.Errorf("a public key of %d octets was taken", len(octets))
		}
		if _, err := private.Decapsulate(octets); err == nil && len(octets) != kem.CiphertextSize() {
			t.Errorf("a ciphertext of %d octets was taken", len(octets))
		}
	})
}
