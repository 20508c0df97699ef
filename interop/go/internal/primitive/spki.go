package primitive

import (
	"bytes"
	"errors"

	"qzmq.test/go/internal/registry"
)

// spkiPrefix holds the octets of each algorithm's SubjectPublicKeyInfo in front of the public key: SEQUENCE, SEQUENCE
// of the OID alone, BIT STRING without unused bits. DER allows no other.
var spkiPrefix = map[registry.SigId][]byte{
	registry.Ed25519: []byte("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"),
	registry.MLDSA44: []byte("\x30\x82\x05\x32\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x11\x03\x82\x05\x21\x00"),
	registry.MLDSA65: []byte("\x30\x82\x07\xb2\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x12\x03\x82\x07\xa1\x00"),
	registry.MLDSA87: []byte("\x30\x82\x0a\x32\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x13\x03\x82\x0a\x21\x00"),
}

var errSPKI = errors.New("not exactly one SubjectPublicKeyInfo of an algorithm of QZMQ")

func encodeSPKI(id registry.SigId, public []byte) []byte {
	return append(bytes.Clone(spkiPrefix[id]), public...)
}

func splitSPKI(spki []byte) (registry.SigId, []byte, error) {
	for id, prefix := range spkiPrefix {
		sizes, _ := id.Sizes()
		if public, found := bytes.CutPrefix(spki, prefix); found && len(public) == sizes.PublicKey {
			return id, public, nil
		}
	}
	return 0, nil, errSPKI
}
