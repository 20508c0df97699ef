package keyschedule_test

import (
	"bytes"
	"testing"

	"qzmq.test/go/internal/keyschedule"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/registry"
)

func newHash(t *testing.T, id registry.HashId) primitive.Hash {
	t.Helper()
	h, err := primitive.NewHash(id)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestErases: making a stage leaves nothing of what it came from (KS-5, KS-8).
func TestErases(t *testing.T) {
	h := newHash(t, registry.SHA256)
	kem := []byte{1, 2, 3}
	early := keyschedule.NewEarly(h, nil)
	before := early.BinderKey()
	handshake := early.Handshake(kem, nil)
	if !bytes.Equal(kem, make([]byte, 3)) || bytes.Equal(before, early.BinderKey()) {
		t.Error("the KEM secret or early is still there")
	}
	first := handshake.First(nil)
	again := handshake.First(nil)
	if bytes.Equal(first.Client, again.Client) {
		t.Error("master is still there")
	}
	if first.Next([]byte{1}, nil, nil); !bytes.Equal(first.Resumption, make([]byte, 32)) {
		t.Error("the resumption secret is still there")
	}
}

// TestExportRefuses: a user's label and length that do not fit are local errors.
func TestExportRefuses(t *testing.T) {
	h := newHash(t, registry.SHA384)
	for _, c := range []struct{ label, n int }{{0, 1}, {250, 1}, {1, -1}, {1, 255*48 + 1}} {
		if _, err := keyschedule.Export(h, make([]byte, 48), string(make([]byte, c.label)), nil, c.n); err == nil {
			t.Errorf("label of %d octets, %d octets: no error", c.label, c.n)
		}
	}
}
