package registry

import (
	"fmt"
	"strings"
)

// Suite is a CipherSuite: one algorithm of each kind, 4 octets on the wire in this order.
type Suite struct {
	Kem  KemId
	Sig  SigId
	Aead AeadId
	Hash HashId
}

// String returns the four names between slashes, as in X-QZMQ-Suite.
func (s Suite) String() string {
	return fmt.Sprintf("%v/%v/%v/%v", s.Kem, s.Sig, s.Aead, s.Hash)
}

// ParseSuite reads what String writes.
func ParseSuite(text string) (Suite, error) {
	parts := strings.Split(text, "/")
	if len(parts) != 4 {
		return Suite{}, fmt.Errorf("suite %q is not of the form kem/sig/aead/hash", text)
	}
	var suite Suite
	var err error
	if suite.Kem, err = KemIdOf(parts[0]); err != nil {
		return Suite{}, err
	}
	if suite.Sig, err = SigIdOf(parts[1]); err != nil {
		return Suite{}, err
	}
	if suite.Aead, err = AeadIdOf(parts[2]); err != nil {
		return Suite{}, err
	}
	if suite.Hash, err = HashIdOf(parts[3]); err != nil {
		return Suite{}, err
	}
	return suite, nil
}

// Supported reports whether all four algorithms exist in QZMQ/1: unlisted values and the reserved blake3 do not.
func (s Suite) Supported() bool {
	_, kem := s.Kem.Sizes()
	_, sig := s.Sig.Sizes()
	_, hash := s.Hash.Size()
	return kem && sig && hash && s.Aead.Listed()
}
