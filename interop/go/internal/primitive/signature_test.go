package primitive_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/registry"
)

var sigs = []registry.SigId{registry.Ed25519, registry.MLDSA44, registry.MLDSA65, registry.MLDSA87}

func TestSignatureSizes(t *testing.T) {
	for _, id := range sigs {
		sizes, _ := id.Sizes()
		key := mustKey(t, id, 1)
		signature, err := key.Sign([]byte("message"))
		if err != nil {
			t.Fatal(err)
		}
		if len(signature) != sizes.Signature {
			t.Errorf("%v: a signature of %d octets, not %d", id, len(signature), sizes.Signature)
		}
		again, err := key.Sign([]byte("message"))
		if err != nil {
			t.Fatal(err)
		}
		if hedged := !bytes.Equal(signature, again); hedged == (id == registry.Ed25519) {
			t.Errorf("%v: hedged is %v", id, hedged)
		}
	}
}

func mustKey(t testing.TB, id registry.SigId, seed byte) primitive.SigningKey {
	t.Helper()
	key, err := primitive.NewSigningKey(id, [primitive.SeedSize]byte{seed})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// No signature has a second form: every flipped bit, every cut and every added octet is refused.
func TestSignatureMalleability(t *testing.T) {
	for _, id := range sigs {
		key := mustKey(t, id, 2)
		public, err := primitive.ParsePublicKey(key.SPKI())
		if err != nil {
			t.Fatal(err)
		}
		signature, err := key.Sign([]byte("message"))
		if err != nil {
			t.Fatal(err)
		}
		step := 1 + len(signature)/128
		for at := 0; at < len(signature); at += step {
			signature[at] ^= 1 << (at % 8)
			if public.Verify([]byte("message"), signature) {
				t.Errorf("%v: a bit of octet %d may be flipped", id, at)
			}
			signature[at] ^= 1 << (at % 8)
		}
		for _, changed := range [][]byte{nil, signature[:len(signature)-1], append(bytes.Clone(signature), 0)} {
			if public.Verify([]byte("message"), changed) {
				t.Errorf("%v: a signature of %d octets is taken", id, len(changed))
			}
		}
	}
}

// S + L verifies under a lax reading of RFC 8032 section 5.1.7.
func TestEd25519CanonicalS(t *testing.T) {
	order := [32]byte{0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 31: 0x10}
	key := mustKey(t, registry.Ed25519, 3)
	public, err := primitive.ParsePublicKey(key.SPKI())
	if err != nil {
		t.Fatal(err)
	}
	signature, err := key.Sign([]byte("message"))
	if err != nil {
		t.Fatal(err)
	}
	carry := 0
	for i, octet := range order {
		carry += int(signature[32+i]) + int(octet)
		signature[32+i], carry = byte(carry), carry>>8
	}
	if public.Verify([]byte("message"), signature) {
		t.Error("S + L is taken for S")
	}
}

// The hint of an ML-DSA signature has one encoding (FIPS 204 algorithm 21): its unused octets are zero.
func TestMLDSAHintPadding(t *testing.T) {
	omega := map[registry.SigId][2]int{registry.MLDSA44: {80, 4}, registry.MLDSA65: {55, 6}, registry.MLDSA87: {75, 8}}
	for id, row := range omega {
		key := mustKey(t, id, 4)
		public, err := primitive.ParsePublicKey(key.SPKI())
		if err != nil {
			t.Fatal(err)
		}
		signature, err := key.Sign([]byte("message"))
		if err != nil {
			t.Fatal(err)
		}
		hints := signature[len(signature)-row[0]-row[1]:]
		used := int(hints[len(hints)-1])
		if used == row[0] {
			continue // no octet is unused in this one
		}
		hints[used] = 1
		if public.Verify([]byte("message"), signature) {
			t.Errorf("%v: an unused octet of the hint may be 1", id)
		}
	}
}

// DER in any other form than the one is refused: BER lengths, parameters, unused bits, an octet more or less.
func TestSPKIStrict(t *testing.T) {
	for _, id := range sigs {
		spki := mustKey(t, id, 5).SPKI()
		sizes, _ := id.Sizes()
		for at := range len(spki) - sizes.PublicKey {
			changed := bytes.Clone(spki)
			for bit := range 8 {
				changed[at] = spki[at] ^ 1<<bit
				if key, err := primitive.ParsePublicKey(changed); err == nil {
					t.Errorf("%v: octet %d may be %#x: read as %v", id, at, changed[at], key.Sig())
				}
			}
		}
		for _, changed := range [][]byte{nil, spki[:len(spki)-1], append(bytes.Clone(spki), 0), append(bytes.Clone(spki), spki...)} {
			if _, err := primitive.ParsePublicKey(changed); err == nil {
				t.Errorf("%v: %d octets are taken for a key", id, len(changed))
			}
		}
	}
	withParameters := append([]byte("\x30\x2c\x30\x07\x06\x03\x2b\x65\x70\x05\x00\x03\x21\x00"), make([]byte, 32)...)
	longLength := append([]byte("\x30\x81\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"), make([]byte, 32)...)
	for _, spki := range [][]byte{withParameters, longLength} {
		if _, err := primitive.ParsePublicKey(spki); err == nil {
			t.Errorf("%x is taken for a key", spki)
		}
	}
}

func TestSigningKeyKeepsItsSecret(t *testing.T) {
	for _, id := range sigs {
		key, err := primitive.NewSigningKey(id, [primitive.SeedSize]byte([]byte(strings.Repeat("\xAB\xCD", 16))))
		if err != nil {
			t.Fatal(err)
		}
		for _, verb := range []string{"%v", "%+v", "%s"} {
			if shown := fmt.Sprintf(verb, key); strings.Contains(strings.ToLower(shown), "abcd") || strings.Contains(shown, "171 205") {
				t.Errorf("%v prints its seed with %s", id, verb)
			}
		}
	}
	if _, err := primitive.NewSigningKey(4, [primitive.SeedSize]byte{}); err == nil {
		t.Error("a signature algorithm that no registry lists")
	}
}
