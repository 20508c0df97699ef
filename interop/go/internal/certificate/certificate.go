// Package certificate judges a side's long-term key: it reads a Certificate, and decides by pin or by a chain of X.509
// certificates whether the key is trusted (spec/certificates.md). Certificates are parsed by crypto/x509; the path is
// judged here, for the standard library knows neither ML-DSA nor these rules.
package certificate

import (
	"crypto/x509"
	"slices"
	"time"

	"qzmq.test/go/internal/alert"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/wire"
)

// MaxChain is how many certificates a chain has at most (CERT-7).
const MaxChain = 8

// Peer is a Certificate that a peer showed, read and not yet trusted.
type Peer struct {
	Key   primitive.PublicKey
	chain []*x509.Certificate // leaf first; empty of a raw public key
}

// Read parses a Certificate, whose key must be of one of the algorithms: the suite's of a server, those it was asked
// for of a client. The alerts are those of CERT-1, CERT-2 and CERT-7.
func Read(octets []byte, algorithms ...registry.SigId) (*Peer, error) {
	var shown wire.Certificate
	if err := wire.Parse(octets, &shown); err != nil {
		return nil, err
	}
	peer, err := readBody(shown.CertificateType, shown.Body)
	if err != nil {
		return nil, err
	}
	if id := peer.Key.Sig(); !slices.Contains(algorithms, id) {
		return nil, alert.New(alert.UnsupportedCertificate, "CERT-1", "the key is of %v, not of %v", id, algorithms)
	}
	return peer, nil
}

func readBody(kind registry.CertificateType, body []byte) (*Peer, error) {
	switch kind {
	case registry.RawPublicKey:
		key, err := primitive.ParsePublicKey(body)
		if err != nil {
			return nil, alert.New(alert.BadCertificate, "CERT-2", "%v", err)
		}
		return &Peer{Key: key}, nil
	case registry.X509:
		return readChain(body)
	}
	return nil, alert.New(alert.UnsupportedCertificate, "CERT-1", "certificate type %d", kind)
}

func readChain(body []byte) (*Peer, error) {
	var entries wire.CertificateChain
	if err := wire.Parse(body, &entries); err != nil {
		return nil, err
	}
	if n := len(entries.Certificates); n == 0 || n > MaxChain {
		return nil, alert.New(alert.BadCertificate, "CERT-7", "a chain of %d certificates", n)
	}
	peer := &Peer{}
	for i, entry := range entries.Certificates {
		parsed, err := parse(entry.Der)
		if err != nil {
			return nil, alert.New(alert.BadCertificate, "CERT-7", "certificate %d of the chain: %v", i, err)
		}
		peer.chain = append(peer.chain, parsed)
	}
	if _, known := keyAlgorithm(peer.chain[0]); !known {
		return nil, alert.New(alert.UnsupportedCertificate, "CERT-1", "the leaf's key is of an algorithm that QZMQ does not have")
	}
	key, err := primitive.ParsePublicKey(peer.chain[0].RawSubjectPublicKeyInfo)
	if err != nil {
		return nil, alert.New(alert.BadCertificate, "CERT-7", "the leaf's key: %v", err)
	}
	peer.Key = key
	return peer, nil
}

// Pin returns the SHA-256 of the key's SubjectPublicKeyInfo.
func (p *Peer) Pin() [32]byte { return primitive.Pin(p.Key.SPKI()) }

// NotAfter returns the earliest end of the chain's certificates, which ends every ticket of theirs (CERT-18), and false
// for a raw public key.
func (p *Peer) NotAfter() (end time.Time, limited bool) {
	for _, c := range p.chain {
		if !limited || c.NotAfter.Before(end) {
			end, limited = c.NotAfter, true
		}
	}
	return end, limited
}
