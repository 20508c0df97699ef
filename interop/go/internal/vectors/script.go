package vectors

import (
	"bytes"
	"io"
	"time"

	"qzmq.test/go/internal/handshake"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/wire"
)

// What makes a machine say again what a transcript has.

// noon is when all of it happens.
var noon = time.Unix(1_800_000_000, 0)

// script gives one answer of randomness after the other, then zeros.
func script(answers ...[]byte) io.Reader {
	return io.MultiReader(bytes.NewReader(bytes.Join(answers, nil)), zeros{})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// scriptedKey signs by the transcript's signature if that is over the message: the only way to have a hedged one again.
type scriptedKey struct {
	primitive.SigningKey
	signature []byte
	public    primitive.PublicKey
}

func (k scriptedKey) Sign(message []byte) ([]byte, error) {
	if k.public.Verify(message, k.signature) {
		return k.signature, nil
	}
	return k.SigningKey.Sign(message)
}

func newScriptedKey(sig registry.SigId, seed, signature []byte) (scriptedKey, error) {
	key, err := signingKey(sig, seed)
	if err != nil {
		return scriptedKey{}, err
	}
	public, err := primitive.ParsePublicKey(key.SPKI())
	return scriptedKey{key, signature, public}, err
}

// scriptedKEM encapsulates to the transcript's ciphertext, whose randomness is not known.
type scriptedKEM struct {
	primitive.KEM
	ciphertext, secret []byte
}

func (k scriptedKEM) Encapsulate([]byte, io.Reader) (ciphertext, secret []byte, err error) {
	return k.ciphertext, bytes.Clone(k.secret), nil
}

// issuing is a server's store, and holding a client's cache, of one ticket.
type issuing struct {
	identity []byte
	issued   *handshake.Issued
}

func (s *issuing) Find(identity []byte) *handshake.Issued {
	if s.issued != nil && bytes.Equal(identity, s.identity) {
		return s.issued
	}
	return nil
}

func (s *issuing) Take(identity []byte) bool {
	found := s.Find(identity) != nil
	s.issued = nil
	return found
}

func (*issuing) Put(*handshake.SessionID, []byte, *handshake.Issued) {}
func (*issuing) Discard(*handshake.SessionID)                        {}

type holding struct{ ticket *handshake.Ticket }

func (s *holding) Take() *handshake.Ticket {
	taken := s.ticket
	s.ticket = nil
	return taken
}

func (*holding) Put(*handshake.SessionID, *handshake.Ticket) {}
func (*holding) Discard(*handshake.SessionID)                {}

// defaultMetadata is what the transcripts' sides say of themselves.
var defaultMetadata = map[handshake.Role][]handshake.Property{
	handshake.Client: {
		{Name: []byte("Socket-Type"), Value: []byte("DEALER")}, {Name: []byte("Identity"), Value: []byte("client")},
	},
	handshake.Server: {
		{Name: []byte("Socket-Type"), Value: []byte("ROUTER")}, {Name: []byte("Identity"), Value: []byte("server")},
	},
}

// metadataOf gives what a side says of itself in octets of the transcript, or by default.
func metadataOf(octets []byte, role handshake.Role, binding string) []handshake.Property {
	var parsed wire.Metadata
	switch {
	case binding == "raw":
		return nil
	case octets != nil && wire.Parse(octets, &parsed) == nil:
		return parsed.Properties
	}
	return defaultMetadata[role]
}

// encoded is metadata as ClientAuth and Finished carry it, empty in raw.
func encoded(properties []handshake.Property) ([]byte, error) {
	if properties == nil {
		return nil, nil
	}
	return wire.Append(nil, &wire.Metadata{Properties: properties})
}

// base is what all configurations have in common.
func base(role handshake.Role, suite registry.Suite) *handshake.Config {
	return &handshake.Config{
		Role: role, Policy: registry.Policy{Mixed: true, Suites: []registry.Suite{suite}},
		SocketType: map[handshake.Role]string{handshake.Client: "DEALER", handshake.Server: "ROUTER"}[role],
		Metadata:   defaultMetadata[role],
		Now:        func() time.Time { return noon },
	}
}

// unframed is a transport without a binding's headers.
func unframed(prologue []byte) handshake.Transport {
	return handshake.Transport{
		Prologue: prologue, PeerAddress: "192.0.2.1", AppendHeader: func(dst []byte, _ int) []byte { return dst },
	}
}
