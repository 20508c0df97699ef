package certificate

import (
	"bytes"
	"errors"
	"fmt"

	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/wire"
)

// Raw returns the Certificate that shows a key by itself: its DER SubjectPublicKeyInfo.
func Raw(spki []byte) ([]byte, error) {
	return wire.Append(nil, &wire.Certificate{CertificateType: registry.RawPublicKey, Body: spki})
}

// Chain returns the Certificate that shows a key by its chain: DER certificates, the key's own first and each one's
// issuer next. Another leaf or order is a local error (CERT-17).
func Chain(spki []byte, ders ...[]byte) ([]byte, error) {
	if len(ders) == 0 || len(ders) > MaxChain {
		return nil, fmt.Errorf("a chain has 1 to %d certificates, not %d (CERT-7)", MaxChain, len(ders))
	}
	chain, err := ParseAnchors(ders...)
	if err != nil {
		return nil, fmt.Errorf("own chain: %w", err)
	}
	if !bytes.Equal(chain[0].RawSubjectPublicKeyInfo, spki) {
		return nil, errors.New("the first certificate of the chain is not of this side's key (CERT-17)")
	}
	if err := checkOrder(chain); err != nil {
		return nil, fmt.Errorf("own chain, which goes from the leaf upwards (CERT-17): %w", err)
	}
	var entries wire.CertificateChain
	for _, der := range ders {
		entries.Certificates = append(entries.Certificates, wire.CertificateEntry{Der: der})
	}
	body, err := wire.Append(nil, &entries)
	if err != nil {
		return nil, err
	}
	return wire.Append(nil, &wire.Certificate{CertificateType: registry.X509, Body: body})
}
