package keyschedule_test

import (
	"bytes"
	"crypto/subtle"
	"fmt"
	"testing"

	"qzmq.test/go/internal/alert"
	"qzmq.test/go/internal/keyschedule"
	"qzmq.test/go/internal/vectors"
	"qzmq.test/go/internal/wire"
)

type group struct {
	Hash   vectors.HashName
	Sender string
}

type scheduleTest struct {
	vectors.Test
	vectors.Schedule
	Values map[string]vectors.Octets
}

type outputTest struct {
	vectors.Test
	Secret     vectors.Octets
	Exp        vectors.Octets
	Label      string
	Context    vectors.Octets
	Length     int
	HkdfLabel  vectors.Octets `json:"hkdf_label"`
	Output     vectors.Octets
	Transcript vectors.Octets
	VerifyData vectors.Octets `json:"verify_data"`
}

// TestVectors plays keyschedule.json.
func TestVectors(t *testing.T) {
	file := vectors.Load(t, "keyschedule")
	vectors.Each(t, file, "Schedule", func(g group, test scheduleTest) error {
		return test.Compare(g.Hash.New(), test.Values)
	})
	vectors.Each(t, file, "ExpandLabel", playExpandLabel)
	vectors.Each(t, file, "Exporter", func(g group, test outputTest) error {
		got, err := keyschedule.Export(g.Hash.New(), test.Exp, test.Label, test.Context, test.Length)
		if err == nil && !bytes.Equal(got, test.Output) {
			return fmt.Errorf("output is %x", got)
		}
		return err
	})
	vectors.Each(t, file, "VerifyData", playVerifyData)
	file.Done(t)
}

func playExpandLabel(g group, test outputTest) error {
	label := wire.HkdfLabel{Length: uint16(test.Length), Label: []byte("qzmq1 " + test.Label), Context: test.Context}
	if built, err := wire.Append(nil, &label); err != nil || !bytes.Equal(built, test.HkdfLabel) {
		return fmt.Errorf("hkdf_label is %x: %w", built, err)
	}
	if got := keyschedule.ExpandLabel(g.Hash.New(), test.Secret, test.Label, test.Context, test.Length); !bytes.Equal(got, test.Output) {
		return fmt.Errorf("output is %x", got)
	}
	return nil
}

func playVerifyData(g group, test outputTest) error {
	got := keyschedule.VerifyData(g.Hash.New(), test.Secret, test.Transcript)
	if subtle.ConstantTimeCompare(got, test.VerifyData) == 1 {
		return nil
	}
	requirement := map[string]string{"client": "HS-14", "server": "HS-16"}[g.Sender]
	return alert.New(alert.DecryptError, requirement, "verify_data")
}

// TestErases: making a stage leaves nothing of what it came from (KS-5, KS-8).
func TestErases(t *testing.T) {
	h := vectors.HashName("sha_256").New()
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
	h := vectors.HashName("sha_384").New()
	for _, c := range []struct{ label, n int }{{0, 1}, {250, 1}, {1, -1}, {1, 255*48 + 1}} {
		if _, err := keyschedule.Export(h, make([]byte, 48), string(make([]byte, c.label)), nil, c.n); err == nil {
			t.Errorf("label of %d octets, %d octets: no error", c.label, c.n)
		}
	}
}
