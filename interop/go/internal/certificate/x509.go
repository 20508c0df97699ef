package certificate

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"

	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/registry"
)

// Extensions of RFC 5280 section 4.2.1 that the rules name.
const (
	keyUsage         = "2.5.29.15"
	subjectAltName   = "2.5.29.17"
	basicConstraints = "2.5.29.19"
	nameConstraints  = "2.5.29.30"
	extendedKeyUsage = "2.5.29.37"
)

// algorithms holds the OIDs of RFC 8410 and RFC 9881, which name keys and signatures alike.
var algorithms = map[string]registry.SigId{
	"1.3.101.112":             registry.Ed25519,
	"2.16.840.1.101.3.4.3.17": registry.MLDSA44,
	"2.16.840.1.101.3.4.3.18": registry.MLDSA65,
	"2.16.840.1.101.3.4.3.19": registry.MLDSA87,
}

// parse reads exactly one DER Certificate of version 3.
func parse(der []byte) (*x509.Certificate, error) {
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	if parsed.Version != 3 {
		return nil, fmt.Errorf("a certificate of version %d", parsed.Version)
	}
	return parsed, nil
}

func has(c *x509.Certificate, extension string) bool {
	for _, e := range c.Extensions {
		if e.Id.String() == extension {
			return true
		}
	}
	return false
}

func keyAlgorithm(c *x509.Certificate) (registry.SigId, bool) {
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	_, err := asn1.Unmarshal(c.RawSubjectPublicKeyInfo, &info)
	return listed(info.Algorithm, err)
}

func signatureAlgorithm(c *x509.Certificate) (registry.SigId, bool) {
	outer, err := split(c)
	return listed(outer.Algorithm, err)
}

// listed tells the algorithm; an identifier with parameters is of none (RFC 8410 section 3, RFC 9881 section 2).
func listed(id pkix.AlgorithmIdentifier, err error) (registry.SigId, bool) {
	sig, known := algorithms[id.Algorithm.String()]
	return sig, known && err == nil && len(id.Parameters.FullBytes) == 0
}

// signed reports whether the issuer's key made the signature. crypto/x509 would shift a signature that has unused
// bits; here it is refused, so that a certificate has one form.
func signed(issuer, c *x509.Certificate) bool {
	outer, err := split(c)
	if err != nil || outer.Signature.BitLength != 8*len(outer.Signature.Bytes) {
		return false
	}
	key, err := primitive.ParsePublicKey(issuer.RawSubjectPublicKeyInfo)
	if err != nil {
		return false
	}
	id, known := listed(outer.Algorithm, nil)
	return known && id == key.Sig() && key.Verify(c.RawTBSCertificate, outer.Signature.Bytes)
}

// certificate is RFC 5280 section 4.1.
type certificate struct {
	TBS       asn1.RawValue
	Algorithm pkix.AlgorithmIdentifier
	Signature asn1.BitString
}

func split(c *x509.Certificate) (outer certificate, err error) {
	_, err = asn1.Unmarshal(c.Raw, &outer)
	return outer, err
}
