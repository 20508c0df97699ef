package vectors

import (
	"bytes"
	"fmt"

	"qzmq.test/go/internal/handshake"
	"qzmq.test/go/internal/keyschedule"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/record"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/wire"
)

// exchanged is a key exchange of an established session. The messages are without their type octets; KemRandomness may
// be missing.
type exchanged struct {
	Kem           registry.KemId
	Hash          hash
	Generation    uint8
	Rekey         Octets
	Th            Octets
	KemSeed       Octets `json:"kem_seed"`
	KemRandomness Octets `json:"kem_randomness"`
	ReceivedBy    string `json:"received_by"`
	Offer         Octets
	Request       Octets
	Ack           Octets
}

// exchange judges the last message by its receiver, and gives what an ack leads to.
func exchange(given exchanged) (Output, error) {
	p, err := given.begin()
	if err != nil {
		return nil, err
	}
	if err := p.play(given); err != nil {
		return nil, err
	}
	values, err := given.values()
	return Output{"values": values}, err
}

// peered is a side of an established session, and its peer's records.
type peered struct {
	*handshake.Machine
	server bool
	writer *record.Writer
	reader *record.Reader
}

func (x exchanged) begin() (p peered, err error) {
	role, random := handshake.Client, x.KemSeed
	if x.ReceivedBy == "server" {
		role, random = handshake.Server, x.KemRandomness
	}
	suite := registry.Suite{Kem: x.Kem, Hash: x.Hash.ID()}
	config := base(role, suite)
	config.Rand = script(random)
	traffic := make([]byte, x.Hash.Size())
	p.server = role == handshake.Server
	p.Machine, err = handshake.NewEstablished(config, unframed(nil), handshake.Middle{
		Suite: suite, Generation: x.Generation, Transcript: x.Th, Rekey: x.Rekey, Traffic: traffic,
	})
	if err != nil {
		return p, err
	}
	cipher := record.Cipher{Aead: suite.Aead, Hash: x.Hash.Hash}
	p.writer, p.reader = record.NewWriter(cipher, registry.Limits{}, 0), record.NewReader(cipher)
	if err := p.writer.Begin(x.Generation, bytes.Clone(traffic)); err != nil {
		return p, err
	}
	return p, p.reader.Begin(x.Generation, bytes.Clone(traffic))
}

func (p peered) play(x exchanged) error {
	switch {
	case p.server && x.Request != nil, !p.server && x.Ack == nil && x.Request != nil:
		return p.receive(registry.TypeKeyUpdate, x.Request)
	case !p.server && x.Ack == nil:
		return p.receive(registry.TypeKeyUpdate, x.Offer)
	case p.server:
		if err := p.receive(registry.TypeKeyUpdate, x.Offer); err != nil || x.KemRandomness == nil {
			return err
		}
		return p.expect(registry.TypeKeyUpdateAck, x.Ack)
	}
	p.Local(handshake.Rekey)
	if err := p.expect(registry.TypeKeyUpdate, x.Offer); err != nil {
		return err
	}
	return p.receive(registry.TypeKeyUpdateAck, x.Ack)
}

// receive lets the peer seal a message to this side.
func (p peered) receive(kind registry.MessageType, body []byte) error {
	sealed, err := p.writer.AppendControl(nil, kind, body, noon)
	if err != nil {
		return err
	}
	p.Receive(sealed)
	return ended(p.TakeEvents())
}

// expect opens what this side has sent, and holds the first record against the message.
func (p peered) expect(kind registry.MessageType, wanted []byte) error {
	sealed := p.TakeOutput()
	size := record.Overhead + len(wanted)
	if len(sealed) < size {
		return fmt.Errorf("vectors: %d octets were sent", len(sealed))
	}
	plain, header, err := p.reader.Open(nil, sealed[:size])
	if err != nil || header.Type != kind || !bytes.Equal(plain, wanted) {
		return fmt.Errorf("vectors: %s %x was sent: %w", header.Type, plain, err)
	}
	return nil
}

// values are those of the next generation, nothing without an ack.
func (x exchanged) values() (map[string]Octets, error) {
	if x.Ack == nil {
		return map[string]Octets{}, nil
	}
	kem, err := primitive.NewKEM(x.Kem)
	if err != nil {
		return nil, err
	}
	pair, err := kem.GenerateKey(bytes.NewReader(x.KemSeed))
	if err != nil {
		return nil, err
	}
	var ack wire.KeyUpdateAck
	if err := wire.Parse(x.Ack, &ack); err != nil {
		return nil, err
	}
	secret, err := pair.Decapsulate(ack.KemCiphertext)
	if err != nil {
		return nil, err
	}
	h := x.Hash.Hash
	offered := append([]byte{byte(registry.TypeKeyUpdate)}, x.Offer...)
	answered := append([]byte{byte(registry.TypeKeyUpdateAck)}, x.Ack...)
	root, th := h.Extract(x.Rekey, secret), h.Sum(x.Th, offered, answered)
	next := keyschedule.Restore(h, x.Th, bytes.Clone(x.Rekey)).Next(bytes.Clone(secret), offered, answered)
	return map[string]Octets{
		"kem_secret": secret, "root": root, "th_next": th,
		"c_ap": Octets(next.Client), "s_ap": Octets(next.Server), "res": Octets(next.Resumption),
		"rekey_next": keyschedule.ExpandLabel(h, root, "rekey", th, h.Size()),
	}, nil
}
