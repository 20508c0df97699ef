package registry

import (
	"errors"
	"fmt"
	"slices"
)

// Policy says which suites a side offers, accepts and prefers. It is local: only its suites cross the wire (POL-2).
type Policy struct {
	Name   string  // the preset's, or empty
	Mode   Mode    // Hybrid where none is named (POL-10)
	Mixed  bool    // suites of other modes are allowed too (POL-8); whoever configures it is warned (POL-9)
	Suites []Suite // distinct, most preferred first (POL-1)
	Limits Limits  // what the policy lowers (POL-16); the zero value lowers nothing
}

// Preset returns the policy of that name in table presets (POL-12); another name is a local error (POL-13).
func Preset(name string) (Policy, error) {
	for _, p := range presets {
		if p.Name == name {
			p.Suites = slices.Clone(p.Suites)
			return p, nil
		}
	}
	return Policy{}, fmt.Errorf("no preset is called %q (POL-13); the names are %v", name, PresetNames())
}

// PresetNames returns the names of table presets in its order.
func PresetNames() []string {
	listed := make([]string, 0, len(presets))
	for _, p := range presets {
		listed = append(listed, p.Name)
	}
	return listed
}

// DefaultPolicy returns the preset that stands where the user chose nothing (POL-11).
func DefaultPolicy() Policy {
	p := presets[0]
	p.Suites = slices.Clone(p.Suites)
	return p
}

// Check returns the first local error of the policy: POL-1, POL-7, POL-8 and POL-16.
func (p Policy) Check() error {
	if len(p.Suites) == 0 {
		return errors.New("a policy needs a suite (POL-1); take one of a preset")
	}
	for i, suite := range p.Suites {
		if slices.Contains(p.Suites[:i], suite) {
			return fmt.Errorf("suite %v stands twice in the policy (POL-1)", suite)
		}
		mode, member := suite.Mode()
		if !member || !suite.Supported() {
			return fmt.Errorf("suite %v belongs to no mode (POL-7)", suite)
		}
		if mode != p.Mode && !p.Mixed {
			return fmt.Errorf("suite %v is of mode %v, the policy of mode %v (POL-8); name that mode or set Mixed", suite, mode, p.Mode)
		}
	}
	return p.Limits.Check()
}

// ClassicalSuites returns the suites that POL-9 wants named in a warning: the classical ones of a policy that holds
// others beside them.
func (p Policy) ClassicalSuites() []Suite {
	var classical []Suite
	for _, suite := range p.Suites {
		if mode, member := suite.Mode(); member && mode == Classical {
			classical = append(classical, suite)
		}
	}
	if len(classical) == len(p.Suites) {
		return nil
	}
	return classical
}

// Signatures returns every signature algorithm of the modes of the policy's suites, in ascending order: what a server
// lists in client_auth_request (POL-4) and what a chain may be made of (CERT-10).
func (p Policy) Signatures() []SigId {
	var listed []SigId
	for _, suite := range p.Suites {
		if mode, member := suite.Mode(); member {
			listed = append(listed, mode.Signatures()...)
		}
	}
	slices.Sort(listed)
	return slices.Compact(listed)
}

// Choose returns the first suite of a server's policy that the client offered and that its key can sign (HS-3); false
// means handshake_failure.
func (p Policy) Choose(offered []Suite, key SigId) (Suite, bool) {
	for _, suite := range p.Suites {
		if suite.Sig == key && slices.Contains(offered, suite) {
			return suite, true
		}
	}
	return Suite{}, false
}

// CheckServerKey returns a local error if no suite of the policy can be signed with a key of that algorithm (POL-6).
func (p Policy) CheckServerKey(key SigId) error {
	for _, suite := range p.Suites {
		if suite.Sig == key {
			return nil
		}
	}
	return fmt.Errorf("the server's key is of %v, which is the signature of no suite of its policy (POL-6)", key)
}

// SeedAlgorithm returns the algorithm of a key that is kept as a seed: that of the first suite (POL-3).
func (p Policy) SeedAlgorithm() SigId { return p.Suites[0].Sig }
