package certificate

import (
	"crypto/x509"
	"net"
	"strings"
)

// named reports whether the leaf's subjectAltName has the name (CERT-16): an address among its addresses, any other
// among its DNS names.
func named(leaf *x509.Certificate, name string) bool {
	if address := net.ParseIP(name); address != nil {
		for _, listed := range leaf.IPAddresses {
			if listed.Equal(address) {
				return true
			}
		}
		return false
	}
	for _, pattern := range leaf.DNSNames {
		if matches(lower(pattern), lower(name)) {
			return true
		}
	}
	return false
}

// matches lets "*" as the whole first label of two or more stand for one label (RFC 9525 section 6.3). A "*" anywhere
// else is in no DNS name, so it equals none.
func matches(pattern, name string) bool {
	if strings.Contains(name, "*") {
		return false
	}
	if parent, wild := strings.CutPrefix(pattern, "*."); wild {
		label, rest, found := strings.Cut(name, ".")
		return found && label != "" && parent != "" && rest == parent
	}
	return name != "" && pattern == name
}

// lower folds ASCII alone: Unicode's folding would take the Kelvin sign for a k.
func lower(name string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, name)
}
