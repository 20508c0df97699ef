package vectors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"qzmq.test/go/internal/keyschedule"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/puzzle"
	"qzmq.test/go/internal/record"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/wire"
)

// sealAgain seals the records of a valid test.
func sealAgain(all []byte) error {
	var test struct {
		direction
		Comment    string
		Plaintexts []Octets
	}
	if err := json.Unmarshal(all, &test); err != nil {
		return err
	}
	var padding int
	if strings.Contains(test.Comment, "padded") {
		_, _ = fmt.Sscanf(test.Comment[max(0, len(test.Comment)-3):], "%d", &padding)
	}
	w := record.NewWriter(test.cipher(), registry.Limits{}, padding)
	if err := w.Begin(test.Generation, bytes.Clone(test.Secret)); err != nil {
		return err
	}
	w.StartAt(test.Seq)
	for i, sealed := range test.Records {
		again, err := reseal(w, test.NextSecret, sealed, test.Plaintexts[i])
		if err != nil || !bytes.Equal(again, sealed) {
			return fmt.Errorf("record %d is sealed as %x: %w", i, again, err)
		}
	}
	return nil
}

func reseal(w *record.Writer, next, sealed, plaintext []byte) ([]byte, error) {
	e := binary.BigEndian.Uint16(sealed[2:])
	if w.Generation() != uint8(e>>8) {
		if err := w.Begin(uint8(e>>8), bytes.Clone(next)); err != nil {
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

// sealEarlyAgain seals records of early data.
func sealEarlyAgain(all []byte) error {
	var test struct {
		announced
		Plaintexts []Octets
	}
	if err := json.Unmarshal(all, &test); err != nil {
		return err
	}
	traffic := keyschedule.NewEarly(test.Hash.Hash, test.PSK).ClientTraffic(test.Prologue, test.ClientHello)
	w, err := record.NewEarlyWriter(record.Cipher{Aead: test.Aead, Hash: test.Hash.Hash}, registry.Limits{}, traffic)
	if err != nil {
		return err
	}
	for i, plaintext := range test.Plaintexts {
		sealed, err := w.AppendData(nil, plaintext, time.Time{})
		if err != nil || !bytes.Equal(sealed, test.Records[i]) {
			return fmt.Errorf("record %d is %x: %w", i, sealed, err)
		}
	}
	return nil
}

// answerAgain lets the server answer the offer with the vector's ack.
func answerAgain(all []byte) error {
	var test exchanged
	if err := json.Unmarshal(all, &test); err != nil {
		return err
	}
	test.ReceivedBy = "server"
	_, err := exchange(test)
	return err
}

// labelAgain builds HkdfLabel.
func labelAgain(all []byte) error {
	var test struct {
		labelled
		HkdfLabel Octets `json:"hkdf_label"`
	}
	if err := json.Unmarshal(all, &test); err != nil {
		return err
	}
	label := wire.HkdfLabel{Length: uint16(test.Length), Label: []byte("qzmq1 " + test.Label), Context: test.Context}
	if built, err := wire.Append(nil, &label); err != nil || !bytes.Equal(built, test.HkdfLabel) {
		return fmt.Errorf("hkdf_label is %x: %w", built, err)
	}
	return nil
}

// solveAgain makes the second hello: solutions are counted up from 0, so the vector's is the one that is found.
func solveAgain(all []byte) error {
	var test struct {
		puzzled
		Prologue Octets
		PSK      Octets
	}
	if err := json.Unmarshal(all, &test); err != nil || test.SecondClientHello == nil {
		return err
	}
	var first wire.ClientHello
	var retry wire.HelloRetry
	if err := errors.Join(parseMessage(test.ClientHello, &first), parseMessage(test.HelloRetry, &retry)); err != nil {
		return err
	}
	answer, err := puzzle.Answer(&first, &retry, test.MaxDifficulty)
	if err != nil {
		return err
	}
	octets, err := wire.Append([]byte{byte(registry.TypeClientHello)}, answer)
	if err != nil {
		return err
	}
	if test.PSK != nil {
		if err := bind(octets, test.Prologue, test.PSK); err != nil {
			return err
		}
	}
	if !bytes.Equal(octets, test.SecondClientHello) {
		return fmt.Errorf("the second ClientHello is %x", octets)
	}
	return nil
}

// bind writes the binder over the last octets of the hello, which are its own.
func bind(octets, prologue, psk []byte) error {
	h, err := primitive.NewHash(registry.SHA256)
	if err != nil {
		return err
	}
	cut := len(octets) - h.Size()
	key := keyschedule.NewEarly(h, psk).BinderKey()
	copy(octets[cut:], keyschedule.VerifyData(h, key, prologue, octets[:cut-1]))
	return nil
}

// sayAgain: both sides say the transcript themselves, up to hellos that only another implementation would send.
func sayAgain(all []byte) error {
	var test struct {
		transcript
		Comment string
		Flags   []string
	}
	if err := json.Unmarshal(all, &test); err != nil {
		return err
	}
	f, err := test.follow()
	if err != nil {
		return err
	}
	foreign := -1
	switch {
	case slices.Contains(test.Flags, "ServerHello"):
		foreign = 1
	case slices.Contains(test.Flags, "ClientHello"):
		foreign = 0
	}
	for _, i := range f.differs {
		if i != foreign {
			return fmt.Errorf("message %d of this library is another", i)
		}
	}
	return nil
}

// decode keeps numbers as they are written.
func decode(text []byte, into *any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return decoder.Decode(into)
}
