package primitive_test

import (
	"crypto/rand"
	"fmt"
	"testing"

	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/registry"
)

// BenchmarkKEM is what each side of a handshake pays: the server generates and decapsulates, the client encapsulates.
func BenchmarkKEM(b *testing.B) {
	for _, id := range kems {
		kem, _ := mustKEM(b, id)
		private, err := kem.GenerateKey(rand.Reader)
		if err != nil {
			b.Fatal(err)
		}
		public := private.PublicKey()
		ciphertext, _, err := kem.Encapsulate(public, rand.Reader)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("generate/%v", id), func(b *testing.B) {
			for b.Loop() {
				if _, err := kem.GenerateKey(rand.Reader); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("encapsulate/%v", id), func(b *testing.B) {
			for b.Loop() {
				if _, _, err := kem.Encapsulate(public, rand.Reader); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("decapsulate/%v", id), func(b *testing.B) {
			for b.Loop() {
				if _, err := private.Decapsulate(ciphertext); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSignature signs and verifies what a handshake signs; parse is a peer's key, read once in each.
func BenchmarkSignature(b *testing.B) {
	message := []byte("QZMQ-v1 server signature\x00 and a digest of 32 octets ........")
	for _, id := range sigs {
		key := mustKey(b, id, 1)
		signature, err := key.Sign(message)
		if err != nil {
			b.Fatal(err)
		}
		public, err := primitive.ParsePublicKey(key.SPKI())
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("sign/%v", id), func(b *testing.B) {
			for b.Loop() {
				if _, err := key.Sign(message); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("verify/%v", id), func(b *testing.B) {
			for b.Loop() {
				if !public.Verify(message, signature) {
					b.Fatal("wrong signature")
				}
			}
		})
		spki := key.SPKI()
		b.Run(fmt.Sprintf("parse/%v", id), func(b *testing.B) {
			for b.Loop() {
				if _, err := primitive.ParsePublicKey(spki); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAEAD seals and opens records of three sizes in place.
func BenchmarkAEAD(b *testing.B) {
	for _, id := range []registry.AeadId{registry.AES256GCM, registry.ChaCha20Poly1305} {
		aead, err := primitive.NewAEAD(id, make([]byte, registry.KeySize))
		if err != nil {
			b.Fatal(err)
		}
		nonce, header := make([]byte, registry.NonceSize), make([]byte, 16)
		for _, size := range []int{256, 4096, registry.DefaultCut} {
			plaintext := make([]byte, size, size+registry.TagSize)
			sealed := aead.Seal(nil, nonce, plaintext, header)
			b.Run(fmt.Sprintf("seal/%v/%d", id, size), func(b *testing.B) {
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					aead.Seal(plaintext[:0], nonce, plaintext, header)
				}
			})
			opened := make([]byte, 0, size)
			b.Run(fmt.Sprintf("open/%v/%d", id, size), func(b *testing.B) {
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := aead.Open(opened, nonce, sealed, header); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
