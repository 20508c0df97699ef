package certificate_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"qzmq.test/go/internal/certificate"
	"qzmq.test/go/internal/registry"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// identity is a key and a certificate for it.
type identity struct {
	key  crypto.Signer
	cert *x509.Certificate
}

func ed25519Key(t testing.TB) crypto.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func ecdsaKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issue makes a certificate for the key; a nil issuer is the key itself. change sets what is special about it.
func issue(t testing.TB, subject string, key crypto.Signer, issuer *identity, change func(*x509.Certificate)) *identity {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: subject},
		NotBefore:             noon.Add(-time.Hour),
		NotAfter:              noon.Add(time.Hour),
		BasicConstraintsValid: true,
	}
	change(template)
	parent, signer := template, key
	if issuer != nil {
		parent, signer = issuer.cert, issuer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	return adopt(t, key, der)
}

func adopt(t testing.TB, key crypto.Signer, der []byte) *identity {
	t.Helper()
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &identity{key, cert}
}

func ca(c *x509.Certificate) {
	c.IsCA = true
	c.KeyUsage = x509.KeyUsageCertSign
}

func server(names ...string) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.DNSNames = names
		c.KeyUsage = x509.KeyUsageDigitalSignature
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
}

// chain is an anchor, an issuer and a leaf for server.example.
func chain(t testing.TB) (anchor, issuer, leaf *identity) {
	t.Helper()
	anchor = issue(t, "anchor", ed25519Key(t), nil, ca)
	issuer = issue(t, "issuer", ed25519Key(t), anchor, ca)
	leaf = issue(t, "leaf", ed25519Key(t), issuer, server("server.example"))
	return anchor, issuer, leaf
}

// show builds a Certificate of type x509 without looking at its order.
func show(identities ...*identity) []byte {
	octets := []byte{byte(registry.X509)}
	for _, id := range identities {
		n := len(id.cert.Raw)
		octets = append(octets, byte(n>>16), byte(n>>8), byte(n))
		octets = append(octets, id.cert.Raw...)
	}
	return octets
}

func trust(anchors ...*identity) *certificate.Trust {
	t := &certificate.Trust{Name: "server.example", Signatures: []registry.SigId{registry.Ed25519}}
	for _, a := range anchors {
		t.Anchors = append(t.Anchors, a.cert)
	}
	return t
}

// judge reads and judges at noon.
func judge(t *certificate.Trust, shown []byte) error {
	peer, err := certificate.Read(shown, registry.Ed25519)
	if err != nil {
		return err
	}
	return t.Judge(peer, noon)
}

// outer is a Certificate whose signature a test can write differently.
type outer struct {
	TBS       asn1.RawValue
	Algorithm pkix.AlgorithmIdentifier
	Signature asn1.BitString
}
