package session_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"testing"
	"time"

	"qzmq.test/go/internal/certificate"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/session"
)

// TestZap: the handler's word is the last; what arrives before it waits (ZAP-3 to ZAP-11).
func TestZap(t *testing.T) {
	for name, c := range map[string]struct {
		verdict session.Verdict
		alert   string
	}{
		"admitted": {session.Verdict{Status: 200, UserID: "ada", Metadata: []session.Property{
			{Name: []byte("X-Team"), Value: []byte("red")}, {Name: []byte("X-QZMQ-Peer"), Value: []byte("forged")},
		}}, ""},
		"not now":   {session.Verdict{Status: 300}, "user_canceled"},
		"refused":   {session.Verdict{Status: 400}, "access_denied"},
		"failed":    {session.Verdict{Status: 500}, "internal_error"},
		"no answer": {session.Verdict{}, "user_canceled"},
		"malformed": {session.Verdict{Status: 200, Metadata: []session.Property{{Name: []byte("not a name")}}}, "user_canceled"},
	} {
		t.Run(name, func(t *testing.T) {
			client, server := configs(t, quick, false)
			server.ClientPins, server.AsksZap = nil, func() (bool, error) { return true, nil }
			p := meet(t, client, server)
			p.talk()
			question := last[session.Question](t, &p.server)
			if !bytes.Equal(question.Credentials, client.Key.SPKI()) || question.Address != "192.0.2.1" {
				t.Errorf("asked %v", question)
			}
			p.server.events = append(p.server.events, p.server.Answer(c.verdict)...)
			p.talk()
			if c.alert != "" {
				ended(t, &p.server, session.Alerted, c.alert)
				ended(t, &p.client, session.PeerAlert, c.alert)
				return
			}
			peer := last[session.Established](t, &p.server).Peer
			for name, value := range map[string]string{
				"User-Id": "ada", "X-Team": "red", "X-QZMQ-Peer": certificate.FormatKey(peer.Pin), "X-QZMQ-Mechanism": "QZMQ",
			} {
				if got := property(peer, name); got != value {
					t.Errorf("%s is %q", name, got)
				}
			}
		})
	}
}

func property(peer session.Peer, name string) string {
	for _, p := range peer.Metadata {
		if string(p.Name) == name {
			return string(p.Value)
		}
	}
	return ""
}

// TestZapMissing: a handler that is demanded and missing (ZAP-1).
func TestZapMissing(t *testing.T) {
	client, server := configs(t, quick, false)
	server.AsksZap = func() (bool, error) { return false, errors.New("no handler") }
	p := meet(t, client, server)
	p.talk()
	if e := ended(t, &p.server, session.Alerted, "user_canceled"); e.Alert.Requirement != "ZAP-1" {
		t.Error(e.Alert)
	}
}

// chainOf makes a certificate authority and the chain of a key.
func chainOf(t *testing.T, key primitive.SigningKey, usage x509.ExtKeyUsage, name string) (anchor, leaf []byte) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	from, to := time.Unix(1_700_000_000, 0), time.Unix(1_800_003_600, 0)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotBefore: from, NotAfter: to,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	if anchor, err = x509.CreateCertificate(rand.Reader, ca, ca, public, private); err != nil {
		t.Fatal(err)
	}
	own, err := x509.ParsePKIXPublicKey(key.SPKI())
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "leaf"}, NotBefore: from, NotAfter: to,
		DNSNames: []string{name}, ExtKeyUsage: []x509.ExtKeyUsage{usage}, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	parsed, err := x509.ParseCertificate(anchor)
	if err != nil {
		t.Fatal(err)
	}
	if leaf, err = x509.CreateCertificate(rand.Reader, template, parsed, own, private); err != nil {
		t.Fatal(err)
	}
	return anchor, leaf
}

// TestChains: both sides show certificates of an authority; tickets end with them (CERT-9, CERT-16, CERT-18).
func TestChains(t *testing.T) {
	client, server := resumable(t, false)
	serverAnchor, serverLeaf := chainOf(t, server.Key, x509.ExtKeyUsageServerAuth, "broker.test")
	clientAnchor, clientLeaf := chainOf(t, client.Key, x509.ExtKeyUsageClientAuth, "client.test")
	var err error
	if client.Anchors, err = certificate.ParseAnchors(serverAnchor); err != nil {
		t.Fatal(err)
	}
	if server.Anchors, err = certificate.ParseAnchors(clientAnchor); err != nil {
		t.Fatal(err)
	}
	client.ServerPins, server.ClientPins = nil, nil
	client.Chain, server.Chain = [][]byte{clientLeaf}, [][]byte{serverLeaf, serverAnchor}
	client.ServerName = "broker.test"
	established(t, client, server)
	if !last[session.Established](t, &established(t, client, server).client).Peer.Resumed {
		t.Error("not resumed")
	}
	at := &clock{now: time.Unix(1_800_003_601, 0)}
	client.Now, server.Now = at.Now, at.Now
	p := meet(t, client, server)
	p.talk()
	ended(t, &p.client, session.Alerted, "certificate_expired")
	client.Now, client.ServerName = (&clock{now: time.Unix(1_800_000_000, 0)}).Now, "elsewhere.test"
	p = meet(t, client, server)
	p.talk()
	ended(t, &p.client, session.Alerted, "unrecognized_name")
}
