package handshake

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"qzmq.test/go/internal/alert"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/vectors"
	"qzmq.test/go/internal/wire"
)

// The octets that the transcripts carry behind the handshake, and before it.
var said = map[Role][]byte{Client: []byte("\x00\x05hello"), Server: []byte("\x00\x05world")}

var saidEarly = []byte("\x00\x05early")

// TestHandshakeVectors plays handshake.json: valid ones by both sides, invalid ones by who receives the last message.
func TestHandshakeVectors(t *testing.T) {
	file := vectors.Load(t, "handshake")
	vectors.Each(t, file, "Handshake", playTranscript)
	file.Done(t)
}

// playTranscript lets one or both sides say their messages and receive the others'.
func playTranscript(group transcriptGroup, test transcriptTest) error {
	o := test.open(group.Suite.suite())
	if test.Values != nil {
		if err := o.schedule.Compare(vectors.HashName(group.Suite.Hash).New(), test.Values); err != nil {
			return err
		}
	}
	for _, role := range test.players() {
		p, err := newPlayer(group, test, o, role)
		if err != nil {
			return err
		}
		if err := p.play(test); err != nil {
			return cited(err, test.Test)
		}
	}
	return nil
}

// players are the sides that play: who receives the last message of an invalid test, and of a valid one both, unless
// its ServerHello is one that only another implementation would send.
func (t transcriptTest) players() []Role {
	switch {
	case !t.Valid() && t.Messages[len(t.Messages)-1].Sender == "client":
		return []Role{Server}
	case !t.Valid(), slices.Contains(t.Flags, "ServerHello"):
		return []Role{Client}
	}
	return []Role{Client, Server}
}

// newPlayer configures one side so that it says what the transcript has.
func newPlayer(group transcriptGroup, test transcriptTest, o opened, role Role) (player, error) {
	create := newClient
	if role == Server {
		create = newServer
	}
	config, store, err := create(group, test, o)
	if err != nil {
		return player{}, err
	}
	m := NewMachine(config, Transport{
		Prologue: test.Prologue, Raw: group.Binding == "raw", PeerAddress: "192.0.2.1",
		AppendHeader: func(dst []byte, _ int) []byte { return dst },
	})
	if test.KemRandomness == nil && role == Client {
		m.newKEM = func(id registry.KemId) (primitive.KEM, error) {
			kem, err := primitive.NewKEM(id)
			if o.kemSecret == nil {
				return kem, err
			}
			return scriptedKEM{kem, o.key.KemCiphertext, o.kemSecret}, err
		}
	}
	for _, issued := range store.issued {
		issued.Listener = m.listener()
	}
	return player{m, store}, nil
}

func newClient(group transcriptGroup, test transcriptTest, o opened) (*Config, *memory, error) {
	suite := group.Suite.suite()
	config, err := group.base(Client, metadataOf(o.auth.Metadata, Client, group))
	if err != nil {
		return nil, nil, err
	}
	config.ServerPins = []Pin{Pin(group.ServerPin)}
	if group.ClientAuthentication {
		signature := o.auth.Signature
		if len(signature) == 0 {
			signature = nil
		}
		if config.Key, err = newScriptedKey(suite.Sig, group.ClientSeed, signature); err != nil {
			return nil, nil, err
		}
	}
	var random, grease []byte
	if hello := test.find(registry.TypeClientHello); hello != nil {
		var parsed wire.ClientHello
		if wire.Parse(hello[1:], &parsed) == nil {
			random, grease = parsed.Random, greaseOf(parsed)
		}
	}
	config.Rand = script(random, grease, test.KemRandomness)
	store := &memory{}
	if test.PSK != nil {
		config.Held = holding{store}
		store.held, config.EarlyData = heldTicket(group, test, config)
	}
	return config, store, nil
}

// greaseOf gives the octets from which sendClientHello makes the transcript's GREASE.
func greaseOf(hello wire.ClientHello) []byte {
	if len(hello.Extensions) == 0 || len(hello.Suites) == 0 {
		return []byte{0, 0}
	}
	return []byte{byte(hello.Extensions[0].ExtensionType), byte(hello.Suites[len(hello.Suites)-1].Kem)}
}

func newServer(group transcriptGroup, test transcriptTest, o opened) (*Config, *memory, error) {
	suite := group.Suite.suite()
	config, err := group.base(Server, metadataOf(o.last.Metadata, Server, group))
	if err != nil {
		return nil, nil, err
	}
	var answer wire.ServerHello
	if octets := test.find(registry.TypeServerHello); octets != nil {
		_ = wire.Parse(octets[1:], &answer)
	}
	signature := answer.Signature
	if len(signature) != 0 && len(answer.Certificate) == 0 {
		signature = nil
	}
	if config.Key, err = newScriptedKey(suite.Sig, group.ServerSeed, signature); err != nil {
		return nil, nil, err
	}
	if group.ClientAuthentication {
		config.ClientPins = map[Pin]struct{}{Pin(group.ClientPin): {}}
	}
	found, _ := readExtensions(registry.TypeServerHello, answer.Extensions)
	var grease []byte
	if found.request != nil {
		grease = []byte{byte(found.request.Algorithms[len(found.request.Algorithms)-1])}
	}
	config.Rand = script(test.KemSeed, answer.Random, grease)
	config.EarlyData = found.answer == nil || found.answer.Status == EarlyAccepted
	store := &memory{issued: map[string]*Issued{}}
	config.Issued = issuing{store}
	if test.PSK != nil && test.Known {
		issueTicket(group, test, store)
	}
	return config, store, nil
}

// metadataOf gives what a side says of itself in the transcript, or what it says by default.
func metadataOf(octets []byte, role Role, group transcriptGroup) []byte {
	if octets != nil || group.Binding == "raw" {
		return octets
	}
	return defaultMetadata[role]
}

// play says this side's messages and receives the peer's, to the end of the transcript.
func (p player) play(test transcriptTest) error {
	own := p.config.Role.String()
	p.Local(Begin)
	for i, message := range test.Messages {
		if message.Sender == own {
			if err := p.say(test, i, message.Octets); err != nil {
				return fmt.Errorf("%s: %w", own, err)
			}
			continue
		}
		if err := p.hear(message.Octets); err != nil {
			return err
		}
	}
	return nil
}

// say holds what this side has said against the transcript.
func (p player) say(test transcriptTest, i int, wanted []byte) error {
	if registry.MessageType(wanted[0]) == registry.TypeData {
		return p.sayData(wanted)
	}
	got := p.TakeOutput()
	if i == 0 && !bytes.Equal(got, wanted) && test.Comment != "honest" && test.PSK == nil {
		p.clientHello = wanted // whatever another client might have said
		return nil
	}
	if !bytes.Equal(got, wanted) {
		return fmt.Errorf("message %d is %x, not %x", i, got, wanted)
	}
	return nil
}

func (p player) sayData(wanted []byte) (err error) {
	var got []byte
	if p.state == Open {
		got, err = p.SealData(nil, said[p.config.Role])
	} else {
		got, _ = p.SealEarly(nil, saidEarly)
	}
	if err == nil && !bytes.Equal(got, wanted) {
		err = fmt.Errorf("data is %x, not %x", got, wanted)
	}
	return err
}

// hear receives a message of the peer.
func (p player) hear(octets []byte) error {
	if !p.IsData(octets) {
		p.Receive(octets)
		return p.outcome()
	}
	out, err := p.OpenData(nil, octets)
	if err == nil && !bytes.Equal(out, said[p.config.Role.Opposite()]) {
		err = fmt.Errorf("%x arrived", out)
	}
	return err
}

// TestRotationVectors plays rotation.json.
func TestRotationVectors(t *testing.T) {
	file := vectors.Load(t, "rotation")
	vectors.Each(t, file, "Chain", playChain)
	records := func(g vectors.RecordsGroup, test vectors.RecordsTest) error { return cited(test.Play(g), test.Test) }
	vectors.Each(t, file, "Records", records)
	vectors.Each(t, file, "NewGeneration", records)
	vectors.Each(t, file, "Generation", playGeneration)
	file.Done(t)
}

// TestTable: what has no row ends the session with unexpected_message (HS-18).
func TestNoRow(t *testing.T) {
	m := NewMachine(&Config{Role: Server}, Transport{AppendHeader: func(dst []byte, _ int) []byte { return dst }})
	m.Receive([]byte{byte(registry.TypeServerHello)})
	got, ok := m.outcome().(*alert.Alert)
	if !ok || got.Description != alert.UnexpectedMessage || got.Requirement != "HS-18" {
		t.Errorf("ends with %v", got)
	}
	if out := m.TakeOutput(); !bytes.Equal(out, []byte{0x30, byte(alert.UnexpectedMessage)}) {
		t.Errorf("sends %x", out)
	}
}
