package vectors

import (
	"bytes"

	"qzmq.test/go/internal/keyschedule"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/record"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/wire"
)

// suiteName is a suite as the files write it.
type suiteName struct{ Kem, Sig, Aead, Hash string }

func (s suiteName) suite() (registry.Suite, error) {
	return registry.ParseSuite(s.Kem + "/" + s.Sig + "/" + s.Aead + "/" + s.Hash)
}

// transcript is a handshake that is over, and who took part. KemRandomness may be missing.
type transcript struct {
	Suite                suiteName
	Binding              string
	ClientAuthentication bool   `json:"client_authentication"`
	ServerPin            Octets `json:"server_pin"`
	ClientPin            Octets `json:"client_pin"`
	ServerSeed           Octets `json:"server_seed"`
	ClientSeed           Octets `json:"client_seed"`
	Prologue             Octets
	KemSeed              Octets `json:"kem_seed"`
	KemRandomness        Octets `json:"kem_randomness"`
	Messages             []message
	PSK                  Octets
	Known                bool
}

type message struct {
	Sender string
	Octets Octets
}

// find gives the octets of the first message of a type, nil if there is none.
func (t transcript) find(kind registry.MessageType) []byte {
	for _, m := range t.Messages {
		if len(m.Octets) > 0 && registry.MessageType(m.Octets[0]) == kind {
			return m.Octets
		}
	}
	return nil
}

// read parses the first message of a type; false if there is none that is right.
func (t transcript) read(kind registry.MessageType, into wire.Structure) bool {
	octets := t.find(kind)
	return octets != nil && wire.Parse(octets[1:], into) == nil
}

// extension reads an extension of a hello; false if it is not there.
func extension(list []wire.Extension, kind registry.ExtensionType, into wire.Structure) bool {
	for _, e := range list {
		if e.ExtensionType == kind {
			return wire.Parse(e.ExtensionData, into) == nil
		}
	}
	return false
}

// opened is what a transcript holds, seen by somebody who has the server's KEM seed.
type opened struct {
	suite    registry.Suite
	hash     primitive.Hash
	hello    wire.ClientHello
	offered  *wire.PreSharedKey // of hello, nil if there is none
	early    bool               // hello announces early data
	answer   wire.ServerHello
	key      wire.ClientKey
	auth     wire.ClientAuth
	last     wire.Finished
	schedule origin // without a KEM secret as long as there is no right ClientKey
}

// open reads as much of the transcript as there is, and is right.
func (t transcript) open() (o opened, err error) {
	if o.suite, err = t.Suite.suite(); err != nil {
		return o, err
	}
	if o.hash, err = primitive.NewHash(o.suite.Hash); err != nil {
		return o, err
	}
	greeted := t.read(registry.TypeClientHello, &o.hello)
	var psk wire.PreSharedKey
	if extension(o.hello.Extensions, registry.PreSharedKey, &psk) {
		o.offered = &psk
	}
	o.early = extension(o.hello.Extensions, registry.EarlyData, new(wire.Empty))
	if t.read(registry.TypeServerHello, &o.answer) && greeted && t.read(registry.TypeClientKey, &o.key) {
		return o, o.decapsulate(t)
	}
	return o, nil
}

// decapsulate computes where the schedule starts, and opens what it seals.
func (o *opened) decapsulate(t transcript) error {
	kem, err := primitive.NewKEM(o.suite.Kem)
	if err != nil {
		return err
	}
	pair, err := kem.GenerateKey(bytes.NewReader(t.KemSeed))
	if err != nil {
		return err
	}
	secret, err := pair.Decapsulate(o.key.KemCiphertext)
	if err != nil {
		return nil // the server will say so
	}
	clientKey := t.find(registry.TypeClientKey)
	aad := clientKey[:3+len(o.key.KemCiphertext)]
	hello := bytes.Join([][]byte{t.Prologue, t.find(registry.TypeClientHello)}, nil)
	serverHello := t.find(registry.TypeServerHello)
	o.schedule = origin{
		KemSecret: secret, Hello: hello,
		H1:  bytes.Join([][]byte{hello, serverHello, aad}, nil),
		TCK: bytes.Join([][]byte{hello, serverHello, clientKey}, nil),
	}
	if extension(o.answer.Extensions, registry.PreSharedKey, new(wire.Empty)) {
		o.schedule.PSK = t.PSK
	}
	return o.unseal(t, aad)
}

// unseal reads ClientAuth and Finished if they open.
func (o *opened) unseal(t transcript, aad []byte) error {
	keys := keyschedule.NewEarly(o.hash, o.schedule.PSK).Handshake(bytes.Clone(o.schedule.KemSecret), o.schedule.H1)
	auth := keyschedule.AuthKey(o.hash, keys.Client)
	aead, err := primitive.NewAEAD(o.suite.Aead, auth.Key)
	if err != nil {
		return err
	}
	if octets, err := aead.Open(nil, auth.IV, o.key.SealedAuth, aad); err != nil ||
		wire.ParseHashed(octets, o.hash.Size(), &o.auth) != nil {
		return nil
	}
	sealed := t.find(registry.TypeFinished)
	r := record.NewReader(record.Cipher{Aead: o.suite.Aead, Hash: o.hash})
	if err := r.Begin(0, keys.Server); err != nil || sealed == nil {
		return err
	}
	if octets, _, err := r.Open(nil, sealed); err == nil {
		_ = wire.ParseHashed(octets, o.hash.Size(), &o.last)
	}
	return nil
}

// values are the output of a transcript, nothing as long as there is no ClientKey.
func (o opened) values() map[string]Octets {
	if o.schedule.KemSecret == nil {
		return map[string]Octets{}
	}
	values := o.schedule.walk(o.hash)
	values["kem_secret"] = o.schedule.KemSecret
	return values
}
