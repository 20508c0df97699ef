package vectors

import (
	"fmt"
	"time"

	"qzmq.test/go/internal/certificate"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/registry"
)

type named struct {
	Sig  registry.SigId
	Seed Octets
}

// pin gives all names of a key. Both in Z85 are read back.
func pin(given named) (Output, error) {
	key, err := signingKey(given.Sig, given.Seed)
	if err != nil {
		return nil, err
	}
	seed, pin := [32]byte(given.Seed), primitive.Pin(key.SPKI())
	for _, name := range [][32]byte{seed, pin} {
		if read, err := certificate.ParseKey(certificate.FormatKey(name)); err != nil || read != name {
			return nil, fmt.Errorf("vectors: a key's name is read differently: %w", err)
		}
	}
	return Output{
		"seed_z85": certificate.FormatKey(seed), "spki": Octets(key.SPKI()), "pin": Octets(pin[:]), "pin_z85": certificate.FormatKey(pin),
	}, nil
}

type shown struct {
	Of          string
	Sig         registry.SigId
	Pins        []Octets         // of a raw key
	Algorithms  []registry.SigId // of a chain, as all below
	Name        string
	Now         int64
	Anchors     []Octets
	Certificate Octets
}

// judgeCertificate reads a peer's certificate and decides whether it is trusted.
func judgeCertificate(given shown) (Output, error) {
	trust := certificate.Trust{Name: given.Name, Signatures: given.Algorithms, Pins: map[[32]byte]struct{}{}}
	if given.Of == "client" {
		trust.Of = certificate.Client
	}
	for _, pin := range given.Pins {
		trust.Pins[[32]byte(pin)] = struct{}{}
	}
	for _, der := range given.Anchors {
		anchors, err := certificate.ParseAnchors(der)
		if err != nil {
			return nil, err
		}
		trust.Anchors = append(trust.Anchors, anchors...)
	}
	peer, err := certificate.Read(given.Certificate, given.Sig)
	if err != nil {
		return nil, err
	}
	return Output{}, trust.Judge(peer, time.Unix(given.Now, 0))
}
