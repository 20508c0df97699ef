package vectors

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"

	"qzmq.test/go/internal/record"
	"qzmq.test/go/internal/registry"
)

// AeadName is the name of an AEAD in a group.
type AeadName string

// ID is its code point. It panics on a name that is none.
func (n AeadName) ID() registry.AeadId {
	id, err := registry.AeadIdOf(string(n))
	if err != nil {
		panic(err)
	}
	return id
}

// RecordsGroup is a group of records.json, rotation.json or tickets.json that holds records.
type RecordsGroup struct {
	Aead AeadName
	Hash HashName
}

// Cipher is the group's.
func (g RecordsGroup) Cipher() record.Cipher {
	return record.Cipher{Aead: g.Aead.ID(), Hash: g.Hash.New()}
}

// RecordsTest is a receiver's past and the records that it reads now.
type RecordsTest struct {
	Test
	Secret     Octets
	NextSecret Octets `json:"next_secret"`
	Generation uint8
	Seq        uint64
	Records    []Octets
	Plaintexts []Octets
}

// Play opens the records, and seals those of a valid test again.
func (t RecordsTest) Play(g RecordsGroup) error {
	r := record.NewReader(g.Cipher())
	if err := r.Begin(t.Generation, bytes.Clone(t.Secret)); err != nil {
		return err
	}
	r.StartAt(t.Seq)
	if t.NextSecret != nil {
		r.Await(bytes.Clone(t.NextSecret))
	}
	if err := OpenAll(r, t.Records, t.Plaintexts); err != nil {
		return err
	}
	return t.seal(g)
}

// OpenAll opens the records, all of which give the plaintexts.
func OpenAll(r *record.Reader, records, plaintexts []Octets) error {
	out := []byte("before")
	for i, sealed := range records {
		opened, _, err := r.Open(out, sealed)
		if err != nil {
			return err
		}
		if !bytes.Equal(opened[len(out):], plaintexts[i]) {
			return fmt.Errorf("plaintext %d is %x", i, opened[len(out):])
		}
	}
	return nil
}

func (t RecordsTest) seal(g RecordsGroup) error {
	var padding int
	_, _ = fmt.Sscanf(t.Comment[max(0, len(t.Comment)-3):], "%d", &padding)
	if !bytes.Contains([]byte(t.Comment), []byte("padded")) {
		padding = 0
	}
	w := record.NewWriter(g.Cipher(), registry.Limits{}, padding)
	if err := w.Begin(t.Generation, bytes.Clone(t.Secret)); err != nil {
		return err
	}
	w.StartAt(t.Seq)
	for i, sealed := range t.Records {
		again, err := t.reseal(w, sealed, t.Plaintexts[i])
		if err != nil || !bytes.Equal(again, sealed) {
			return fmt.Errorf("record %d is sealed as %x: %w", i, again, err)
		}
	}
	return nil
}

func (t RecordsTest) reseal(w *record.Writer, sealed, plaintext []byte) ([]byte, error) {
	e := binary.BigEndian.Uint16(sealed[2:])
	if w.Generation() != uint8(e>>8) {
		if err := w.Begin(uint8(e>>8), bytes.Clone(t.NextSecret)); err != nil {
			return nil, err
		}
	}
	for w.StepNumber() != uint8(e) {
		if err := w.Step(); err != nil {
			return nil, err
		}
	}
	if kind := registry.MessageType(sealed[0]); kind != registry.TypeData {
		return w.AppendControl(nil, kind, plaintext, time.Time{})
	}
	return w.AppendData(nil, plaintext, time.Time{})
}
