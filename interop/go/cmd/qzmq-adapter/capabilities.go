package main

import (
	"slices"
	"strings"

	qzmq "qzmq.test/go"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/vectors"
)

// capabilities are what an implementation says of itself to the suite.
type capabilities struct {
	Roles    []string `json:"roles"`
	Patterns []string `json:"patterns"`
	Suites   []string `json:"suites"`
	Bindings []string `json:"bindings"`
	Features []string `json:"features"`
	Vectors  []string `json:"vectors"`
}

// features are what this library has with every backend, and libzmqFeatures what go-zeromq leaves out.
var (
	features = []string{
		"authorities", "certificates", "early_data", "events", "export", "identity_is_pin", "limits", "log", "mixed", "padding",
		"plaintext", "properties", "rekey", "rekey_on_demand", "resume_on_demand", "resumption", "retry", "zap",
	}
	libzmqFeatures = []string{"curve"}
)

func capabilitiesOf(transport qzmq.Transport) capabilities {
	c := capabilities{
		Roles: []string{"client", "server"}, Suites: suites(), Bindings: []string{"zmtp"},
		Features: slices.Clone(features), Vectors: vectors.Kinds(),
	}
	for _, kind := range transport.SocketTypes() {
		c.Patterns = append(c.Patterns, kind.String())
	}
	if slices.Contains(c.Patterns, "STREAM") {
		c.Bindings = append(c.Bindings, "raw")
	}
	if transport.Backend() == qzmq.BackendLibzmq {
		c.Features = append(c.Features, libzmqFeatures...)
	}
	return c
}

// suites are all that belong to a mode, as the schema writes them.
func suites() []string {
	var names []string
	for kem := qzmq.X25519; kem <= qzmq.HybridX25519MLKEM1024; kem++ {
		for sig := qzmq.Ed25519; sig <= qzmq.MLDSA87; sig++ {
			for aead := qzmq.AES256GCM; aead <= qzmq.ChaCha20Poly1305; aead++ {
				for hash := qzmq.SHA256; hash <= qzmq.SHA512; hash++ {
					names = appendSuite(names, registry.Suite{Kem: kem, Sig: sig, Aead: aead, Hash: hash})
				}
			}
		}
	}
	return names
}

func appendSuite(names []string, suite registry.Suite) []string {
	if _, member := suite.Mode(); !member {
		return names
	}
	return append(names, strings.ToLower(suite.String()))
}
