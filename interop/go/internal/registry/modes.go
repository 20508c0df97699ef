package registry

import (
	"fmt"
	"slices"
)

// Mode bounds the suites of a policy: table modes. The zero value is Hybrid (POL-10).
type Mode uint8

// The modes of QZMQ/1.
const (
	Hybrid    Mode = iota // holds while X25519 or ML-KEM holds, for secrecy
	PQOnly                // holds while ML-KEM holds
	Classical             // holds while there is no quantum computer, now or later
)

type modeRow struct {
	name string
	kems []KemId
	sigs []SigId
}

var modes = []modeRow{
	Hybrid:    {"hybrid", []KemId{X25519MLKEM768, X25519MLKEM1024}, []SigId{MLDSA44, MLDSA65, MLDSA87}},
	PQOnly:    {"pq_only", []KemId{MLKEM768, MLKEM1024}, []SigId{MLDSA44, MLDSA65, MLDSA87}},
	Classical: {"classical", []KemId{X25519}, []SigId{Ed25519}},
}

// String returns the specification's name.
func (m Mode) String() string {
	if int(m) < len(modes) {
		return modes[m].name
	}
	return fmt.Sprintf("mode %d", uint8(m))
}

// ModeOf returns the mode of that name.
func ModeOf(name string) (Mode, error) {
	for m, row := range modes {
		if row.name == name {
			return Mode(m), nil
		}
	}
	return 0, fmt.Errorf("no mode is called %q; the names are hybrid, pq_only and classical", name)
}

// Signatures returns the mode's signature algorithms in ascending order.
func (m Mode) Signatures() []SigId { return slices.Clone(modes[m].sigs) }

// Mode returns the mode whose row lists both the suite's KEM and its signature; false if none does (POL-7).
func (s Suite) Mode() (mode Mode, member bool) {
	for m, row := range modes {
		if slices.Contains(row.kems, s.Kem) && slices.Contains(row.sigs, s.Sig) {
			return Mode(m), true
		}
	}
	return 0, false
}

// presets is table presets, in its order; the first is the default (POL-11).
var presets = []Policy{
	{Name: "default", Mode: Hybrid, Suites: []Suite{{X25519MLKEM768, MLDSA44, AES256GCM, SHA256}}},
	{Name: "hybrid", Mode: Hybrid, Suites: []Suite{{X25519MLKEM768, MLDSA44, AES256GCM, SHA256}}},
	{Name: "balanced", Mode: PQOnly, Suites: []Suite{{MLKEM768, MLDSA44, AES256GCM, SHA256}}},
	{Name: "conservative", Mode: PQOnly, Suites: []Suite{{MLKEM1024, MLDSA65, AES256GCM, SHA384}}},
	{Name: "maximum", Mode: Hybrid, Suites: []Suite{{X25519MLKEM1024, MLDSA87, AES256GCM, SHA384}}},
	{Name: "performance", Mode: Classical, Suites: []Suite{{X25519, Ed25519, ChaCha20Poly1305, SHA256}}},
	{Name: "fips", Mode: PQOnly, Suites: []Suite{
		{MLKEM768, MLDSA65, AES256GCM, SHA384},
		{MLKEM1024, MLDSA65, AES256GCM, SHA384},
	}},
}
