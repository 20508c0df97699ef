package certificate_test

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"net"
	"testing"
	"time"

	"qzmq.test/go/internal/alert"
	"qzmq.test/go/internal/certificate"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/registry"
)

// expect compares the requirement of the outcome, empty for trust.
func expect(t *testing.T, name string, err error, requirement string) {
	t.Helper()
	got := ""
	if a, refused := errors.AsType[*alert.Alert](err); refused {
		got = a.Requirement
	} else if err != nil {
		got = err.Error()
	}
	if got != requirement {
		t.Errorf("%s: %q, not %q (%v)", name, got, requirement, err)
	}
}

func TestNames(t *testing.T) {
	anchor := issue(t, "anchor", ed25519Key(t), nil, ca)
	for _, c := range []struct {
		pattern, name string
		same          bool
	}{
		{"server.example", "server.example", true},
		{"server.example", "SERVER.example", true},
		{"*.example", "server.example", true},
		{"*.example", "a.server.example", false},
		{"*.example", ".example", false},
		{"*.example", "example", false},
		{"*.example", "*.example", false},
		{"*.*.example", "a.b.example", false},
		{"a.*.example", "a.b.example", false},
		{"*", "server", false},
		{"192.0.2.1", "192.0.2.1", false},
		{"kelvin.example", "\u212Aelvin.example", false},
		{"server.example", "", false},
		{"server.example", "server.example.", false},
	} {
		leaf := issue(t, "leaf", ed25519Key(t), anchor, server(c.pattern))
		judgement := trust(anchor)
		judgement.Name = c.name
		requirement := map[bool]string{false: "CERT-16"}[c.same]
		expect(t, c.pattern+" for "+c.name, judge(judgement, show(leaf)), requirement)
	}
}

func TestAddresses(t *testing.T) {
	anchor := issue(t, "anchor", ed25519Key(t), nil, ca)
	leaf := issue(t, "leaf", ed25519Key(t), anchor, func(c *x509.Certificate) {
		server("server.example")(c)
		c.IPAddresses = []net.IP{net.IPv4(192, 0, 2, 1), net.ParseIP("2001:db8::1")}
	})
	for name, requirement := range map[string]string{
		"192.0.2.1": "", "2001:db8::1": "", "2001:DB8:0::1": "", "192.0.2.2": "CERT-16", "2001:db8::2": "CERT-16",
	} {
		judgement := trust(anchor)
		judgement.Name = name
		expect(t, name, judge(judgement, show(leaf)), requirement)
	}
}

// Of several anchors one suffices; the alert is that of the first.
func TestSeveralAnchors(t *testing.T) {
	anchor, issuer, leaf := chain(t)
	namesake := issue(t, "anchor", ed25519Key(t), nil, ca)
	expired := issue(t, "anchor", anchor.key, nil, func(c *x509.Certificate) { ca(c); c.NotAfter = noon.Add(-time.Minute) })
	stranger := issue(t, "stranger", ed25519Key(t), nil, ca)
	shown := show(leaf, issuer)
	expect(t, "namesake first", judge(trust(namesake, anchor), shown), "")
	expect(t, "stranger first", judge(trust(stranger, anchor), shown), "")
	expect(t, "namesake and expired", judge(trust(namesake, expired), shown), "CERT-11")
	expect(t, "expired and namesake", judge(trust(expired, namesake), shown), "CERT-12")
	expect(t, "stranger", judge(trust(stranger), shown), "CERT-9")
	expect(t, "the issuer as anchor", judge(trust(issuer), shown), "")
	expect(t, "the issuer as anchor, anchor shown", judge(trust(issuer), show(leaf, issuer, anchor)), "")
	expect(t, "the leaf as anchor", judge(trust(leaf), shown), "CERT-9")
}

func TestPathLength(t *testing.T) {
	short := func(c *x509.Certificate) { ca(c); c.MaxPathLenZero = true }
	anchor := issue(t, "anchor", ed25519Key(t), nil, short)
	direct := issue(t, "leaf", ed25519Key(t), anchor, server("server.example"))
	expect(t, "0 between", judge(trust(anchor), show(direct)), "")
	issuer := issue(t, "issuer", ed25519Key(t), anchor, ca)
	leaf := issue(t, "leaf", ed25519Key(t), issuer, server("server.example"))
	expect(t, "1 between", judge(trust(anchor), show(leaf, issuer)), "CERT-13")
	renewed := issue(t, "anchor", ed25519Key(t), anchor, ca)
	leaf = issue(t, "leaf", ed25519Key(t), renewed, server("server.example"))
	expect(t, "1 between, self-issued", judge(trust(anchor), show(leaf, renewed)), "")
}

// A key or signature of an algorithm that QZMQ does not have is weak wherever it stands in the path.
func TestWeakLink(t *testing.T) {
	anchor := issue(t, "anchor", ecdsaKey(t), nil, ca)
	issuer := issue(t, "issuer", ed25519Key(t), anchor, ca)
	leaf := issue(t, "leaf", ed25519Key(t), issuer, server("server.example"))
	expect(t, "ECDSA anchor", judge(trust(anchor), show(leaf, issuer)), "CERT-10")
	expect(t, "its signature on an anchor", judge(trust(issuer), show(leaf)), "CERT-10")
	strong, _, _ := chain(t)
	weak := issue(t, "leaf", ecdsaKey(t), strong, server("server.example"))
	expect(t, "ECDSA leaf", judge(trust(strong), show(weak)), "CERT-1")
	judgement := trust(strong)
	judgement.Signatures = []registry.SigId{registry.MLDSA44}
	expect(t, "Ed25519 under a post-quantum policy", judge(judgement, show(issue(t, "leaf", ed25519Key(t), strong, server("server.example")))), "CERT-10")
}

// The first instant and the last of a certificate are still in.
func TestDates(t *testing.T) {
	anchor, issuer, leaf := chain(t)
	peer, err := certificate.Read(show(leaf, issuer), registry.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	for now, requirement := range map[time.Time]string{
		leaf.cert.NotBefore:                   "",
		leaf.cert.NotAfter:                    "",
		leaf.cert.NotBefore.Add(-time.Second): "CERT-12",
		leaf.cert.NotAfter.Add(time.Second):   "CERT-12",
	} {
		expect(t, now.String(), trust(anchor).Judge(peer, now), requirement)
	}
	if end, limited := peer.NotAfter(); !limited || !end.Equal(leaf.cert.NotAfter) {
		t.Errorf("tickets end at %v (%v)", end, limited)
	}
}

// A signature that is shifted by unused bits, or has other octets behind it, is another certificate, and forged.
func TestOneEncoding(t *testing.T) {
	anchor, _, _ := chain(t)
	for {
		leaf := issue(t, "leaf", ed25519Key(t), anchor, server("server.example"))
		var parts outer
		if _, err := asn1.Unmarshal(leaf.cert.Raw, &parts); err != nil {
			t.Fatal(err)
		}
		if parts.Signature.Bytes[0]&0x80 != 0 {
			continue // needs a signature that begins with a zero bit
		}
		shifted := make([]byte, 64)
		for i := range shifted {
			shifted[i] = parts.Signature.Bytes[i] << 1
			if i < 63 {
				shifted[i] |= parts.Signature.Bytes[i+1] >> 7
			}
		}
		parts.Signature = asn1.BitString{Bytes: shifted, BitLength: 511}
		der, err := asn1.Marshal(parts)
		if err != nil {
			t.Fatal(err)
		}
		again := adopt(t, leaf.key, der)
		if !bytes.Equal(again.cert.Signature, leaf.cert.Signature) {
			t.Fatal("crypto/x509 reads another signature: the trap of this test is gone")
		}
		expect(t, "as issued", judge(trust(anchor), show(leaf)), "")
		expect(t, "shifted", judge(trust(anchor), show(again)), "CERT-11")
		return
	}
}

// Parameters in an algorithm identifier make it another one.
func TestParametersAreWeak(t *testing.T) {
	anchor, _, leaf := chain(t)
	direct := issue(t, "leaf", leaf.key, anchor, server("server.example"))
	null := asn1.RawValue{Tag: asn1.TagNull, FullBytes: []byte{5, 0}}
	with := pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 3, 101, 112}, Parameters: null}
	var parts outer
	if _, err := asn1.Unmarshal(direct.cert.Raw, &parts); err != nil {
		t.Fatal(err)
	}
	parts.Algorithm = with
	der, err := asn1.Marshal(parts)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "NULL parameters outside only", judge(trust(anchor), showDER(der)), "CERT-7")
}

func showDER(der []byte) []byte {
	return append([]byte{1, byte(len(der) >> 16), byte(len(der) >> 8), byte(len(der))}, der...)
}

func TestPinsAndChains(t *testing.T) {
	anchor, issuer, leaf := chain(t)
	pins := map[[32]byte]struct{}{primitive.Pin(leaf.cert.RawSubjectPublicKeyInfo): {}}
	raw, err := certificate.Raw(leaf.cert.RawSubjectPublicKeyInfo)
	if err != nil {
		t.Fatal(err)
	}
	other, err := certificate.Raw(issuer.cert.RawSubjectPublicKeyInfo)
	if err != nil {
		t.Fatal(err)
	}
	wrongName := trust(anchor)
	wrongName.Name, wrongName.Pins = "other.example", pins
	expect(t, "a pin is the whole decision", judge(wrongName, show(leaf, issuer)), "")
	expect(t, "a pinned raw key", judge(wrongName, raw), "")
	expect(t, "another raw key", judge(wrongName, other), "CERT-3")
	expect(t, "a chain without anchors", judge(&certificate.Trust{}, show(leaf, issuer)), "CERT-3")
	for name, c := range map[string]struct {
		trust       certificate.Trust
		shown       []byte
		requirement string
	}{
		"anyone":                 {certificate.Trust{}, other, ""},
		"nobody":                 {certificate.Trust{Pins: map[[32]byte]struct{}{}}, raw, "CERT-4"},
		"listed":                 {certificate.Trust{Pins: pins}, raw, ""},
		"not listed":             {certificate.Trust{Pins: pins}, other, "CERT-4"},
		"anchors, no chain":      {certificate.Trust{Anchors: trust(anchor).Anchors}, raw, "CERT-4"},
		"chain, but of a server": {certificate.Trust{Anchors: trust(anchor).Anchors, Signatures: []registry.SigId{0}}, show(leaf, issuer), "CERT-15"},
	} {
		c.trust.Of = certificate.Client
		expect(t, name, judge(&c.trust, c.shown), c.requirement)
	}
}

func TestOwnChain(t *testing.T) {
	anchor, issuer, leaf := chain(t)
	spki := leaf.cert.RawSubjectPublicKeyInfo
	octets, err := certificate.Chain(spki, leaf.cert.Raw, issuer.cert.Raw)
	if err != nil || !bytes.Equal(octets, show(leaf, issuer)) {
		t.Errorf("own chain is %x: %v", octets, err)
	}
	many := [][]byte{leaf.cert.Raw}
	for range certificate.MaxChain {
		many = append(many, issuer.cert.Raw)
	}
	for name, ders := range map[string][][]byte{
		"another key":  {issuer.cert.Raw, anchor.cert.Raw},
		"a gap":        {leaf.cert.Raw, anchor.cert.Raw},
		"none":         {},
		"too many":     many,
		"no DER":       {leaf.cert.Raw, []byte("junk")},
		"turned round": {anchor.cert.Raw, issuer.cert.Raw, leaf.cert.Raw},
	} {
		if octets, err := certificate.Chain(spki, ders...); err == nil {
			t.Errorf("%s: %x", name, octets)
		}
	}
}

func TestParseKeyRefuses(t *testing.T) {
	secret := "@!9A=t5&*ls7x3g}K5Wy=%VO<Z-Y/mE1N4oh3hHb"
	if _, err := certificate.ParseKey(secret); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", secret[1:], secret + "0", "#####" + secret[5:], "%nSc1" + secret[5:], "'" + secret[1:], "é" + secret[2:]} {
		key, err := certificate.ParseKey(text)
		if err == nil || key != [32]byte{} {
			t.Errorf("%q is read as %x", text, key)
		} else if bytes.Contains([]byte(err.Error()), []byte(secret[5:])) {
			t.Errorf("the error shows the key: %v", err)
		}
	}
	if key, err := certificate.ParseKey("%nSc0" + secret[5:]); err != nil || key[0] != 0xFF || key[3] != 0xFF {
		t.Errorf("2^32 - 1 is read as %x: %v", key, err)
	}
}

// Whatever a peer shows ends in an alert or a judgement, never in a panic, and what is read has a key.
func FuzzRead(f *testing.F) {
	anchor, issuer, leaf := chain(f)
	f.Add(show(leaf, issuer, anchor))
	f.Add([]byte{0, 0x30, 0x2a})
	f.Add([]byte{1, 0, 0, 1, 0})
	f.Fuzz(func(t *testing.T, octets []byte) {
		peer, err := certificate.Read(octets, registry.Ed25519)
		if err != nil {
			if _, isAlert := errors.AsType[*alert.Alert](err); !isAlert {
				t.Errorf("not an alert: %v", err)
			}
			return
		}
		if peer.Key.Sig() != registry.Ed25519 {
			t.Errorf("a key of %v", peer.Key.Sig())
		}
		_ = trust(anchor).Judge(peer, noon)
	})
}
