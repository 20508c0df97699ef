package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	qzmq "qzmq.test/go"
)

// answers is what the program says to these lines.
func answers(t *testing.T, lines ...string) (said []map[string]any) {
	t.Helper()
	var out bytes.Buffer
	if err := run(strings.NewReader(strings.Join(lines, "\n")), &out); err != nil {
		t.Fatal(err)
	}
	for decoder := json.NewDecoder(&out); decoder.More(); {
		var line map[string]any
		if err := decoder.Decode(&line); err != nil {
			t.Fatal(err)
		}
		said = append(said, line)
	}
	return said
}

// server is the line that opens a server's side of that preset's suite.
func server(t *testing.T, preset, suite string) string {
	t.Helper()
	public, secret, err := qzmq.Keypair(preset)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`{"open": {"role": "server", "mechanism": "QZMQ", "suites": [%q], "keys":
		{"server_public": %q, "server_secret": %q, "client_public": %q}}}`, suite, public, secret, public)
}

func TestASideMeasuresItself(t *testing.T) {
	for preset, suite := range map[string]string{
		"default":     "X25519_ML_KEM_768/ML_DSA_44/AES_256_GCM/SHA_256",
		"balanced":    "ML_KEM_768/ML_DSA_44/AES_256_GCM/SHA_256",
		"performance": "X25519/ED25519/CHACHA20_POLY1305/SHA_256",
	} {
		for measure, figure := range map[string]string{"sealing_server": "octets_per_s", "handshaking_server": "seconds"} {
			order := fmt.Sprintf(`{"measure": %q, "plan": {"size": 65536, "messages": 5, "sessions": 1, "warm_up": 1}}`, measure)
			said := answers(t, server(t, preset, suite), order)
			if len(said) != 2 || said[0]["opened"] == nil {
				t.Fatalf("%s: %v", suite, said)
			}
			found, _ := said[1]["figures"].(map[string]any)
			if value, _ := found[figure].(float64); value <= 0 {
				t.Errorf("%s of %s: %v", measure, suite, said[1])
			}
		}
	}
}

func TestWhatASideCannotDoIsSaid(t *testing.T) {
	null := `{"open": {"role": "client", "mechanism": "NULL", "suites": [], "keys": {}}}`
	for words, lines := range map[string][]string{
		"PLAIN":                         {`{"open": {"role": "client", "mechanism": "PLAIN"}}`},
		"is not four names":             {server(t, "default", "AES_256_GCM")},
		"there is no measurement tears": {null, `{"measure": "tears", "plan": {}}`},
		"NULL has no suite":             {null, `{"measure": "sealing_server", "plan": {"size": 64, "messages": 1}}`},
	} {
		said := answers(t, lines...)
		last, _ := said[len(said)-1]["error"].(string)
		if len(said) != len(lines) || !strings.Contains(last, words) {
			t.Errorf("%q is not in %v", words, said)
		}
	}
}
