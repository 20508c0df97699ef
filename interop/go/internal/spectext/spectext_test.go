package spectext_test

import (
	"slices"
	"strings"
	"testing"

	"qzmq.test/go/internal/spectext"
)

// The reader sees what is there: a requirement of several lines, a row that is one, bars inside a cell, an open enum.
func TestLoad(t *testing.T) {
	spec := spectext.Load(t)
	if r := spec.Requirements["CERT-7"]; r.Page != "certificates" || !strings.HasSuffix(r.Text, "well-formed public key.") || !r.Must() {
		t.Errorf("CERT-7 is %+v", r)
	}
	if r := spec.Requirements["HS-20"]; r.Page != "handshake" || !r.Must() {
		t.Errorf("HS-20 is %+v", r)
	}
	if r := spec.Requirements["RES-18"]; !strings.Contains(r.Text, "MAY") || r.Must() {
		t.Errorf("RES-18 is %+v", r)
	}
	early := slices.IndexFunc(spec.Tables["secrets"], func(row map[string]string) bool { return row["Secret"] == "c_early" })
	if early < 0 || spec.Tables["secrets"][early]["Input"] != "Hash(prologue || ClientHello)" {
		t.Errorf("c_early is %v", spec.Tables["secrets"])
	}
	if points := spec.Enums["HashId"]; len(points) != 4 || points["blake3"] != 3 {
		t.Errorf("HashId is %v", points)
	}
	if n := spectext.Number(t, "2^32") + spectext.Number(t, "600"); n != 1<<32+600 {
		t.Errorf("the numbers are %d", n)
	}
}
