package main

import (
	"fmt"
	"strings"

	"github.com/luxfi/qzmq"
)

// What the module's Options can name, by the names of spec/registries.md. ML-DSA-87 and BLAKE3 are on one side only.
var (
	kems = map[string]qzmq.KemAlgorithm{
		"x25519": qzmq.X25519, "ml_kem_768": qzmq.MLKEM768, "ml_kem_1024": qzmq.MLKEM1024,
		"x25519_ml_kem_768": qzmq.HybridX25519MLKEM768, "x25519_ml_kem_1024": qzmq.HybridX25519MLKEM1024,
	}
	signatures = map[string]qzmq.SignatureAlgorithm{
		"ed25519": qzmq.Ed25519, "ml_dsa_44": qzmq.MLDSA2, "ml_dsa_65": qzmq.MLDSA3,
	}
	aeads  = map[string]qzmq.AeadAlgorithm{"aes_256_gcm": qzmq.AES256GCM, "chacha20_poly1305": qzmq.ChaCha20Poly1305}
	hashes = map[string]qzmq.HashAlgorithm{"sha_256": qzmq.SHA256, "sha_384": qzmq.SHA384, "sha_512": qzmq.SHA512}
	modes  = map[string]qzmq.Mode{
		"hybrid": qzmq.ModeHybrid, "pq_only": qzmq.ModePQOnly, "classical": qzmq.ModeClassical,
	}
)

// optionsOf is what an application sets for a policy: the module's defaults, with the first suite and the mode. Null
// security is the module's defaults too, for it has no sockets without.
func optionsOf(wanted *security) (qzmq.Options, error) {
	options := qzmq.DefaultOptions()
	if wanted == nil {
		return options, nil
	}
	names := wanted.Policy.Suites[0]
	var known [5]bool
	options.Suite.KEM, known[0] = kems[names[0]]
	options.Suite.Sign, known[1] = signatures[names[1]]
	options.Suite.AEAD, known[2] = aeads[names[2]]
	options.Suite.Hash, known[3] = hashes[names[3]]
	options.Mode, known[4] = modes[wanted.Policy.Mode]
	if known != [5]bool{true, true, true, true, true} {
		return options, fmt.Errorf("%w: suite %s", errUnsupported, strings.Join(names, "/"))
	}
	return options, nil
}

// suites are those that the module can name, pairing KEMs and signatures as spec/policies.md does.
func suites() []string {
	found := []string{}
	for kem := range kems {
		for signature := range signatures {
			if (kem == "x25519") != (signature == "ed25519") {
				continue
			}
			for aead := range aeads {
				for hash := range hashes {
					found = append(found, strings.Join([]string{kem, signature, aead, hash}, "/"))
				}
			}
		}
	}
	return found
}
