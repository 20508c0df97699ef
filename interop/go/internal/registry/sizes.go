package registry

// KemSizes are the lengths of one KEM in octets: table kems, REG-3 to REG-5.
type KemSizes struct{ PublicKey, Ciphertext, Secret int }

// SigSizes are the lengths of one signature algorithm in octets: table signatures.
type SigSizes struct{ PublicKey, Signature int }

// Lengths in octets that all AEADs have in common: table aeads.
const (
	KeySize   = 32
	NonceSize = 12
	TagSize   = 16
)

// Sizes returns the row of table kems, and false for an unlisted value.
func (id KemId) Sizes() (sizes KemSizes, listed bool) {
	switch id {
	case X25519:
		return KemSizes{32, 32, 32}, true
	case MLKEM768:
		return KemSizes{1184, 1088, 32}, true
	case MLKEM1024:
		return KemSizes{1568, 1568, 32}, true
	case X25519MLKEM768:
		return KemSizes{1216, 1120, 64}, true
	case X25519MLKEM1024:
		return KemSizes{1600, 1600, 64}, true
	}
	return KemSizes{}, false
}

// Sizes returns the row of table signatures, and false for an unlisted value.
func (id SigId) Sizes() (sizes SigSizes, listed bool) {
	switch id {
	case Ed25519:
		return SigSizes{32, 64}, true
	case MLDSA44:
		return SigSizes{1312, 2420}, true
	case MLDSA65:
		return SigSizes{1952, 3309}, true
	case MLDSA87:
		return SigSizes{2592, 4627}, true
	}
	return SigSizes{}, false
}

// Size returns Hash.length in octets, and false for a value that no suite uses.
func (id HashId) Size() (octets int, usable bool) {
	switch id {
	case SHA256:
		return 32, true
	case SHA384:
		return 48, true
	case SHA512:
		return 64, true
	}
	return 0, false
}

// Listed reports whether the registry has the AEAD.
func (id AeadId) Listed() bool { return id <= ChaCha20Poly1305 }
