package certificate

import (
	"crypto/x509"
	"fmt"
	"time"

	"qzmq.test/go/internal/alert"
	"qzmq.test/go/internal/registry"
)

// Owner is the role of a certificate's owner; its peer is the one who judges.
type Owner uint8

// The two owners.
const (
	Server Owner = iota
	Client
)

// Trust is what one side was configured to trust in the other. It is read only and may serve many sessions.
type Trust struct {
	Of         Owner
	Pins       map[[32]byte]struct{} // keys that need no chain (CERT-3, CERT-4); nil, and no Anchors, admits any client
	Anchors    Anchors               // certificates that may end a path
	Name       string                // of a server: its DNS name or address in the leaf (CERT-16)
	Signatures []registry.SigId      // the algorithms a path may be made of (CERT-10): Policy.Signatures
}

// Anchors are certificates that a side was configured to trust.
type Anchors []*x509.Certificate

// ParseAnchors reads DER certificates; one that is not exactly one certificate of version 3 is a local error.
func ParseAnchors(ders ...[]byte) (Anchors, error) {
	var anchors Anchors
	for i, der := range ders {
		parsed, err := parse(der)
		if err != nil {
			return nil, fmt.Errorf("anchor %d: %w", i, err)
		}
		anchors = append(anchors, parsed)
	}
	return anchors, nil
}

// Judge returns nil if the peer's key is trusted at that time of the wall clock, or the alert of the first rule that it
// breaks, CERT-3 to CERT-16. A pin is the whole decision: no names, no dates.
func (t *Trust) Judge(peer *Peer, now time.Time) error {
	if _, pinned := t.Pins[peer.Pin()]; pinned {
		return nil
	}
	if len(t.Anchors) > 0 && len(peer.chain) > 0 {
		return t.judgeChain(peer.chain, now)
	}
	if t.Of == Server {
		return alert.New(alert.CertificateUnknown, "CERT-3", "pin %s is not one of the configured", FormatKey(peer.Pin()))
	}
	if t.Pins == nil && len(t.Anchors) == 0 {
		return nil
	}
	return alert.New(alert.AccessDenied, "CERT-4", "pin %s is not authorised", FormatKey(peer.Pin()))
}

// judgeChain tries every path; one suffices, and the alert is that of the first.
func (t *Trust) judgeChain(chain []*x509.Certificate, now time.Time) error {
	if err := checkOrder(chain); err != nil {
		return err
	}
	paths := t.Anchors.paths(chain)
	if len(paths) == 0 {
		return alert.New(alert.UnknownCA, "CERT-9", "no anchor issued %v", chain[len(chain)-1].Subject)
	}
	var first error
	for _, path := range paths {
		err := t.judgePath(path, now)
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// paths returns the chain from its leaf to the first other certificate of it that is an anchor; else the whole chain
// with each anchor that may have issued its last.
func (a Anchors) paths(chain []*x509.Certificate) [][]*x509.Certificate {
	for i, c := range chain[1:] {
		for _, anchor := range a {
			if c.Equal(anchor) {
				return [][]*x509.Certificate{chain[:i+2]}
			}
		}
	}
	var paths [][]*x509.Certificate
	for _, anchor := range a {
		if issued(anchor, chain[len(chain)-1]) {
			paths = append(paths, append(chain[:len(chain):len(chain)], anchor))
		}
	}
	return paths
}
