package certificate

import (
	"bytes"
	"crypto/x509"
	"slices"
	"time"

	"qzmq.test/go/internal/alert"
)

// judgePath applies CERT-10 to CERT-16 to a path, leaf first and anchor last, one rule after the other.
func (t *Trust) judgePath(path []*x509.Certificate, now time.Time) error {
	rules := []func([]*x509.Certificate) error{
		t.checkAlgorithms,
		checkSignatures,
		func(path []*x509.Certificate) error { return checkDates(path, now) },
		checkIssuers,
		checkExtensions,
		t.checkPurpose,
		t.checkName,
	}
	for _, rule := range rules {
		if err := rule(path); err != nil {
			return err
		}
	}
	return nil
}

// checkOrder is CERT-8: each is issued by the next.
func checkOrder(chain []*x509.Certificate) error {
	for i, c := range chain[1:] {
		if !issued(c, chain[i]) {
			return alert.New(alert.BadCertificate, "CERT-8", "certificate %d is not issued by the next", i)
		}
	}
	return nil
}

// issued compares names octet for octet.
func issued(issuer, c *x509.Certificate) bool { return bytes.Equal(issuer.RawSubject, c.RawIssuer) }

// checkAlgorithms is CERT-10: one weak link is refused.
func (t *Trust) checkAlgorithms(path []*x509.Certificate) error {
	for i, c := range path {
		key, keyListed := keyAlgorithm(c)
		signature, signatureListed := signatureAlgorithm(c)
		if !keyListed || !signatureListed || !slices.Contains(t.Signatures, key) || !slices.Contains(t.Signatures, signature) {
			return alert.New(alert.UnsupportedCertificate, "CERT-10", "key or signature of certificate %d of the path is not of %v", i, t.Signatures)
		}
	}
	return nil
}

// checkSignatures is CERT-11: each is signed by the next one's key. An anchor's own signature says nothing.
func checkSignatures(path []*x509.Certificate) error {
	for i, issuer := range path[1:] {
		if !signed(issuer, path[i]) {
			return alert.New(alert.BadCertificate, "CERT-11", "certificate %d of the path is not signed by the next one's key", i)
		}
	}
	return nil
}

// checkDates is CERT-12.
func checkDates(path []*x509.Certificate, now time.Time) error {
	for i, c := range path {
		if now.Before(c.NotBefore) || now.After(c.NotAfter) {
			return alert.New(alert.CertificateExpired, "CERT-12", "certificate %d of the path is not valid now", i)
		}
	}
	return nil
}

// checkIssuers is CERT-13: who issues is a CA, may sign certificates, and stands no higher than it may.
func checkIssuers(path []*x509.Certificate) error {
	between := 0 // certificates between an issuer and the leaf that are not self-issued
	for i, c := range path[1:] {
		switch {
		case !c.BasicConstraintsValid || !c.IsCA:
			return alert.New(alert.UnknownCA, "CERT-13", "certificate %d of the path is of no CA", i+1)
		case has(c, keyUsage) && c.KeyUsage&x509.KeyUsageCertSign == 0:
			return alert.New(alert.UnknownCA, "CERT-13", "certificate %d of the path may not sign certificates", i+1)
		case limitedPath(c) && between > c.MaxPathLen:
			return alert.New(alert.UnknownCA, "CERT-13", "certificate %d of the path stands too far from the leaf", i+1)
		}
		if !issued(c, c) {
			between++
		}
	}
	return nil
}

// limitedPath tells a pathLenConstraint of 0 from none, as crypto/x509 does.
func limitedPath(c *x509.Certificate) bool {
	return c.MaxPathLen > 0 || c.MaxPathLen == 0 && c.MaxPathLenZero
}

// checkExtensions is CERT-14: nothing critical that these rules do not look at.
func checkExtensions(path []*x509.Certificate) error {
	understood := []string{basicConstraints, keyUsage, extendedKeyUsage, subjectAltName}
	for i, c := range path {
		for _, e := range c.Extensions {
			id := e.Id.String()
			if id == nameConstraints || e.Critical && !slices.Contains(understood, id) {
				return alert.New(alert.UnsupportedCertificate, "CERT-14", "certificate %d of the path has extension %s", i, id)
			}
		}
	}
	return nil
}

// checkPurpose is CERT-15: a purpose must be named, and anyExtendedKeyUsage names none.
func (t *Trust) checkPurpose(path []*x509.Certificate) error {
	purpose := x509.ExtKeyUsageServerAuth
	if t.Of == Client {
		purpose = x509.ExtKeyUsageClientAuth
	}
	leaf := path[0]
	if !has(leaf, extendedKeyUsage) {
		return alert.New(alert.UnsupportedCertificate, "CERT-15", "the leaf has no extendedKeyUsage")
	}
	for i, c := range path {
		if has(c, extendedKeyUsage) && !slices.Contains(c.ExtKeyUsage, purpose) {
			return alert.New(alert.UnsupportedCertificate, "CERT-15", "certificate %d of the path is for another purpose", i)
		}
	}
	if has(leaf, keyUsage) && leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return alert.New(alert.UnsupportedCertificate, "CERT-15", "the leaf's key may not sign")
	}
	return nil
}

// checkName is CERT-16, of servers only.
func (t *Trust) checkName(path []*x509.Certificate) error {
	if t.Of == Server && !named(path[0], t.Name) {
		return alert.New(alert.UnrecognizedName, "CERT-16", "the leaf is not of %q", t.Name)
	}
	return nil
}
