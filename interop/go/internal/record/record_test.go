package record_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"qzmq.test/go/internal/alert"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/record"
	"qzmq.test/go/internal/registry"
)

func cipher(t testing.TB, aead registry.AeadId) record.Cipher {
	t.Helper()
	h, err := primitive.NewHash(registry.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return record.Cipher{Aead: aead, Hash: h}
}

func writer(t testing.TB, aead registry.AeadId, limits registry.Limits, padding int) *record.Writer {
	t.Helper()
	w := record.NewWriter(cipher(t, aead), limits, padding)
	if err := w.Begin(1, make([]byte, 32)); err != nil {
		t.Fatal(err)
	}
	return w
}

func reader(t testing.TB, aead registry.AeadId) *record.Reader {
	t.Helper()
	r := record.NewReader(cipher(t, aead))
	if err := r.Begin(1, make([]byte, 32)); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestLimits: the record that would pass a limit is the first of the next step (ROT-1).
func TestLimits(t *testing.T) {
	for name, c := range map[string]struct {
		aead   registry.AeadId
		limits registry.Limits
		steps  []uint8 // of records of 17 octets, a second apart
	}{
		"records":     {registry.AES256GCM, registry.Limits{StepRecords: 2}, []uint8{0, 0, 1, 1, 2}},
		"octets":      {registry.AES256GCM, registry.Limits{StepOctets: 34}, []uint8{0, 0, 1, 1, 2}},
		"blocks":      {registry.AES256GCM, registry.Limits{StepBlocks: 5}, []uint8{0, 0, 1, 1, 2}},
		"no blocks":   {registry.ChaCha20Poly1305, registry.Limits{StepBlocks: 5}, []uint8{0, 0, 0, 0, 0}},
		"time":        {registry.ChaCha20Poly1305, registry.Limits{StepAge: 3 * time.Second}, []uint8{0, 0, 0, 1, 1}},
		"one a step":  {registry.AES256GCM, registry.Limits{StepRecords: 1}, []uint8{0, 1, 2, 3, 4}},
		"no limit":    {registry.AES256GCM, registry.Limits{}, []uint8{0, 0, 0, 0, 0}},
		"one is over": {registry.AES256GCM, registry.Limits{StepOctets: 5}, []uint8{0, 1, 2, 3, 4}},
	} {
		t.Run(name, func(t *testing.T) {
			w, r := writer(t, c.aead, c.limits, 0), reader(t, c.aead)
			now := time.Unix(1, 0)
			for i, step := range c.steps {
				sealed, err := w.AppendData(nil, make([]byte, 17), now)
				if err != nil {
					t.Fatal(err)
				}
				if _, h, err := r.Open(nil, sealed); err != nil || uint8(h.Epoch) != step {
					t.Errorf("record %d is of epoch %#04x, not step %d: %v", i, h.Epoch, step, err)
				}
				now = now.Add(time.Second)
			}
		})
	}
}

// TestExhausted: after the last record of step 255 only an alert is sealed (ROT-6).
func TestExhausted(t *testing.T) {
	w, r := writer(t, registry.AES256GCM, registry.Limits{StepRecords: 1}, 0), reader(t, registry.AES256GCM)
	for range 256 {
		sealed, err := w.AppendData(nil, nil, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := r.Open(nil, sealed); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.AppendData(nil, nil, time.Time{}); !errors.Is(err, record.ErrExhausted) {
		t.Errorf("record 257: %v", err)
	}
	last, err := w.AppendLast(nil, registry.TypeSealedAlert, []byte{0})
	if err != nil {
		t.Fatal(err)
	}
	if _, h, err := r.Open(nil, last); err != nil || h.Epoch != 0x01FF {
		t.Errorf("the alert: epoch %#04x, %v", h.Epoch, err)
	}
}

// TestPadding: padded records are multiples, and open to what was sealed (REC-13).
func TestPadding(t *testing.T) {
	w, r := writer(t, registry.ChaCha20Poly1305, registry.Limits{}, 64), reader(t, registry.ChaCha20Poly1305)
	for n := range 200 {
		octets := bytes.Repeat([]byte{byte(n)}, n)
		sealed, err := w.AppendData(nil, octets, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if size := len(sealed) - record.Overhead; size%64 != 0 || len(sealed) > w.Size(n) {
			t.Errorf("%d octets are padded to %d", n, size)
		}
		if out, _, err := r.Open(nil, sealed); err != nil || !bytes.Equal(out, octets) {
			t.Errorf("%d octets open to %x: %v", n, out, err)
		}
	}
}

// TestOverflow: a record above 2^20 octets is refused before it is opened (REC-3); one of 2^20 is not.
func TestOverflow(t *testing.T) {
	w, r := writer(t, registry.AES256GCM, registry.Limits{}, 0), reader(t, registry.AES256GCM)
	largest, _ := w.AppendControl(nil, registry.TypeNewTicket, make([]byte, 1<<20), time.Time{})
	if _, _, err := r.Open(nil, largest); err != nil {
		t.Error(err)
	}
	over, _ := w.AppendControl(nil, registry.TypeNewTicket, make([]byte, 1<<20+1), time.Time{})
	_, _, err := r.Open(nil, over)
	if got, ok := errors.AsType[*alert.Alert](err); !ok || got.Description != alert.RecordOverflow || got.Requirement != "REC-3" {
		t.Errorf("2^20 + 1 octets: %v", err)
	}
}

// TestNoAllocation: sealing and opening a record allocates nothing.
func TestNoAllocation(t *testing.T) {
	for _, aead := range []registry.AeadId{registry.AES256GCM, registry.ChaCha20Poly1305} {
		for _, padding := range []int{0, 256} {
			w, r := writer(t, aead, registry.Limits{}, padding), reader(t, aead)
			octets, sealed, out := make([]byte, 1000), make([]byte, 0, 4096), make([]byte, 0, 4096)
			if n := testing.AllocsPerRun(100, func() {
				sealed, _ = w.AppendData(sealed[:0], octets, time.Time{})
				out, _, _ = r.Open(out[:0], sealed)
			}); n != 0 {
				t.Errorf("%s, padding %d: %v allocations", aead, padding, n)
			}
			if len(out) != 1000 {
				t.Errorf("%d octets came out", len(out))
			}
		}
	}
}
