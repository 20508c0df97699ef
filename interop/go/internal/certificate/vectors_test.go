package certificate_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"qzmq.test/go/internal/certificate"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/vectors"
)

type pinTest struct {
	vectors.Test
	Sig     registry.SigId
	Seed    vectors.Octets
	SeedZ85 string `json:"seed_z85"`
	SPKI    vectors.Octets
	Pin     vectors.Octets
	PinZ85  string `json:"pin_z85"`
}

type trustGroup struct {
	Of         string
	Sig        registry.SigId
	Pins       []vectors.Octets // RawKey
	Algorithms []registry.SigId // Chain
	Name       string           // Chain
	Now        int64            // Chain
}

type trustTest struct {
	vectors.Test
	Certificate vectors.Octets
	Anchors     []vectors.Octets
	Name        *string
}

func TestVectors(t *testing.T) {
	file := vectors.Load(t, "certificates")
	vectors.Each(t, file, "Pin", playPin)
	vectors.Each(t, file, "RawKey", playTrust)
	vectors.Each(t, file, "Chain", playTrust)
	file.Done(t)
}

func playPin(_ struct{}, test pinTest) error {
	seed, err := certificate.ParseKey(test.SeedZ85)
	if err != nil {
		return err
	}
	key, err := primitive.NewSigningKey(test.Sig, seed)
	if err != nil {
		return err
	}
	pin := primitive.Pin(key.SPKI())
	if string(seed[:]) != string(test.Seed) || string(key.SPKI()) != string(test.SPKI) || string(pin[:]) != string(test.Pin) {
		return fmt.Errorf("seed %x, SPKI %x, pin %x", seed, key.SPKI(), pin)
	}
	if certificate.FormatKey(pin) != test.PinZ85 || certificate.FormatKey(seed) != test.SeedZ85 {
		return errors.New("seed or pin are written differently")
	}
	read, err := certificate.ParseKey(test.PinZ85)
	if err != nil || read != pin {
		return fmt.Errorf("the pin is read as %x: %w", read, err)
	}
	return nil
}

func playTrust(group trustGroup, test trustTest) error {
	trust := certificate.Trust{Name: group.Name, Signatures: group.Algorithms, Pins: map[[32]byte]struct{}{}}
	if group.Of == "client" {
		trust.Of = certificate.Client
	}
	if test.Name != nil {
		trust.Name = *test.Name
	}
	for _, pin := range group.Pins {
		trust.Pins[[32]byte(pin)] = struct{}{}
	}
	for _, der := range test.Anchors {
		anchors, err := certificate.ParseAnchors(der)
		if err != nil {
			return err
		}
		trust.Anchors = append(trust.Anchors, anchors...)
	}
	peer, err := certificate.Read(test.Certificate, group.Sig)
	if err != nil {
		return err
	}
	return trust.Judge(peer, time.Unix(group.Now, 0))
}
