package handshake

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"qzmq.test/go/internal/alert"
	"qzmq.test/go/internal/certificate"
	"qzmq.test/go/internal/keyschedule"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/record"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/vectors"
	"qzmq.test/go/internal/wire"
)

// suiteName is a suite as the files write it.
type suiteName struct{ Kem, Sig, Aead, Hash string }

func (s suiteName) suite() registry.Suite {
	suite, err := registry.ParseSuite(s.Kem + "/" + s.Sig + "/" + s.Aead + "/" + s.Hash)
	if err != nil {
		panic(err)
	}
	return suite
}

// transcriptGroup is a group of handshakes: who takes part.
type transcriptGroup struct {
	Suite                suiteName
	Binding              string
	ClientAuthentication bool           `json:"client_authentication"`
	ServerPin            vectors.Octets `json:"server_pin"`
	ClientPin            vectors.Octets `json:"client_pin"`
	ServerSeed           vectors.Octets `json:"server_seed"`
	ClientSeed           vectors.Octets `json:"client_seed"`
}

type message struct {
	Sender string
	Octets vectors.Octets
}

// transcriptTest is one handshake, right up to its last message.
type transcriptTest struct {
	vectors.Test
	Prologue      vectors.Octets
	KemSeed       vectors.Octets `json:"kem_seed"`
	KemRandomness vectors.Octets `json:"kem_randomness"`
	Messages      []message
	Values        map[string]vectors.Octets
	PSK           vectors.Octets `json:"psk"`
	Known         bool
}

// find gives the octets of the first message of a type, nil if there is none.
func (t transcriptTest) find(kind registry.MessageType) []byte {
	for _, m := range t.Messages {
		if registry.MessageType(m.Octets[0]) == kind {
			return m.Octets
		}
	}
	return nil
}

// opened is what a transcript holds, seen by somebody who has the server's KEM seed.
type opened struct {
	hello     wire.ClientHello
	answer    wire.ServerHello
	key       wire.ClientKey
	kemSecret []byte
	auth      wire.ClientAuth
	last      wire.Finished
	schedule  vectors.Schedule
}

// open reads as much of the transcript as there is, and is right.
func (t transcriptTest) open(suite registry.Suite) (o opened) {
	h, err := primitive.NewHash(suite.Hash)
	if err != nil {
		panic(err)
	}
	clientHello, serverHello, clientKey := t.find(registry.TypeClientHello), t.find(registry.TypeServerHello), t.find(registry.TypeClientKey)
	if clientHello == nil || wire.Parse(clientHello[1:], &o.hello) != nil ||
		serverHello == nil || wire.Parse(serverHello[1:], &o.answer) != nil ||
		clientKey == nil || wire.Parse(clientKey[1:], &o.key) != nil {
		return o
	}
	kem, _ := primitive.NewKEM(suite.Kem)
	pair, err := kem.GenerateKey(bytes.NewReader(t.KemSeed))
	if err != nil {
		panic(err)
	}
	if o.kemSecret, err = pair.Decapsulate(o.key.KemCiphertext); err != nil {
		return o
	}
	aad := clientKey[:3+len(o.key.KemCiphertext)]
	o.schedule = vectors.Schedule{
		KemSecret: o.kemSecret,
		H1:        bytes.Join([][]byte{t.Prologue, clientHello, serverHello, aad}, nil),
		TCK:       bytes.Join([][]byte{t.Prologue, clientHello, serverHello, clientKey}, nil),
		Hello:     bytes.Join([][]byte{t.Prologue, clientHello}, nil),
	}
	if accepted, err := readExtensions(registry.TypeServerHello, o.answer.Extensions); err == nil && accepted.accepted {
		o.schedule.PSK = t.PSK
	}
	o.openSealed(t, suite, h, aad)
	return o
}

func (o *opened) openSealed(t transcriptTest, suite registry.Suite, h primitive.Hash, aad []byte) {
	keys := keyschedule.NewEarly(h, o.schedule.PSK).Handshake(bytes.Clone(o.kemSecret), o.schedule.H1)
	auth := keyschedule.AuthKey(h, keys.Client)
	aead, _ := primitive.NewAEAD(suite.Aead, auth.Key)
	octets, err := aead.Open(nil, auth.IV, o.key.SealedAuth, aad)
	if err != nil || wire.ParseHashed(octets, h.Size(), &o.auth) != nil {
		return
	}
	sealed := t.find(registry.TypeFinished)
	r := record.NewReader(record.Cipher{Aead: suite.Aead, Hash: h})
	if sealed == nil || r.Begin(0, keys.Server) != nil {
		return
	}
	if octets, _, err = r.Open(nil, sealed); err == nil {
		_ = wire.ParseHashed(octets, h.Size(), &o.last)
	}
}

// script gives one answer of randomness after the other, then zeros.
func script(answers ...[]byte) io.Reader {
	return io.MultiReader(bytes.NewReader(bytes.Join(answers, nil)), zeros{})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// scriptedKey signs by the vector's signature, after it has verified over the message: the only way to have a hedged
// one again.
type scriptedKey struct {
	primitive.SigningKey
	signature []byte
	public    primitive.PublicKey
}

func (k scriptedKey) Sign(message []byte) ([]byte, error) {
	if k.signature == nil {
		return k.SigningKey.Sign(message)
	}
	if !k.public.Verify(message, k.signature) {
		return nil, errors.New("the vector's signature is not over what this side signs")
	}
	return k.signature, nil
}

func newScriptedKey(sig registry.SigId, seed, signature []byte) (scriptedKey, error) {
	key, err := primitive.NewSigningKey(sig, [32]byte(seed))
	if err != nil {
		return scriptedKey{}, err
	}
	public, err := primitive.ParsePublicKey(key.SPKI())
	return scriptedKey{key, signature, public}, err
}

// scriptedKEM encapsulates to the vector's ciphertext where the vector does not tell the randomness of it.
type scriptedKEM struct {
	primitive.KEM
	ciphertext, secret []byte
}

func (k scriptedKEM) Encapsulate([]byte, io.Reader) (ciphertext, secret []byte, err error) {
	return k.ciphertext, bytes.Clone(k.secret), nil
}

// player is one side of a transcript.
type player struct {
	*Machine
	store *memory
}

// memory keeps tickets for one session.
type memory struct {
	issued map[string]*Issued
	held   *Ticket
}

func (s *memory) Find(identity []byte) *Issued { return s.issued[string(identity)] }
func (s *memory) Take(identity []byte) bool {
	_, there := s.issued[string(identity)]
	delete(s.issued, string(identity))
	return there
}

// issuing and holding are the two faces of a memory.
type (
	issuing struct{ *memory }
	holding struct{ *memory }
)

func (issuing) Put(*SessionID, []byte, *Issued) {}
func (issuing) Discard(*SessionID)              {}

func (s holding) Take() *Ticket {
	t := s.held
	s.held = nil
	return t
}
func (holding) Put(*SessionID, *Ticket) {}
func (holding) Discard(*SessionID)      {}

var noon = time.Unix(1_800_000_000, 0)

// base is what both sides' configurations have in common.
func (g transcriptGroup) base(role Role, metadata []byte) (*Config, error) {
	config := &Config{
		Role: role, Policy: registry.Policy{Mixed: true, Suites: []registry.Suite{g.Suite.suite()}},
		SocketType: map[Role]string{Client: "DEALER", Server: "ROUTER"}[role],
		Now:        func() time.Time { return noon },
	}
	var parsed wire.Metadata
	err := wire.Parse(metadata, &parsed)
	config.Metadata = parsed.Properties
	return config, err
}

// outcome is the alert with which the machine has ended the session, nil if it has not.
func (m *Machine) outcome() error {
	for _, event := range m.TakeEvents() {
		if ended, ok := event.(Ended); ok {
			if ended.Alert == nil {
				return fmt.Errorf("ended: %s", ended.Reason)
			}
			return ended.Alert
		}
	}
	return nil
}

// cites are the rules that a requirement names as its own answer: the alert of one is that of the other.
var cites = map[string][]string{
	"ROT-2": {"REC-7"}, "ROT-4": {"REC-7"}, "ROT-6": {"REC-7"}, "ROT-14": {"REC-7"}, "ROT-5": {"REC-8"}, "RES-16": {"REC-8"},
	"ROT-12": {"REG-4", "REG-6"}, "ROT-13": {"REG-5", "REG-6"},
}

// cited names the alert's requirement as the test does where that one refers to it.
func cited(err error, test vectors.Test) error {
	got, ok := errors.AsType[*alert.Alert](err)
	if !ok {
		return err
	}
	for _, rule := range cites[test.Requirement] {
		if got.Requirement == rule {
			return alert.New(got.Description, test.Requirement, "%s", got.Detail)
		}
	}
	return err
}

func rawCertificate(key primitive.SigningKey) []byte {
	octets, err := certificate.Raw(key.SPKI())
	if err != nil {
		panic(err)
	}
	return octets
}
