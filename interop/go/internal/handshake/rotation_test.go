package handshake

import (
	"bytes"
	"fmt"

	"qzmq.test/go/internal/keyschedule"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/record"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/vectors"
	"qzmq.test/go/internal/wire"
)

type chainTest struct {
	vectors.Test
	Secret vectors.Octets
	Steps  []struct{ Traffic, Key, Iv vectors.Octets }
	Last   vectors.Octets `json:"traffic_255"`
}

func playChain(group struct{ Hash vectors.HashName }, test chainTest) error {
	h := group.Hash.New()
	traffic := []byte(test.Secret)
	for step := range 256 {
		if step < len(test.Steps) {
			want, key := test.Steps[step], keyschedule.RecordKey(h, traffic)
			if !bytes.Equal(traffic, want.Traffic) || !bytes.Equal(key.Key, want.Key) || !bytes.Equal(key.IV, want.Iv) {
				return fmt.Errorf("step %d is %x, %x, %x", step, traffic, key.Key, key.IV)
			}
		}
		if step < 255 {
			traffic = keyschedule.NextTraffic(h, traffic)
		}
	}
	if !bytes.Equal(traffic, test.Last) {
		return fmt.Errorf("step 255 is %x", traffic)
	}
	return nil
}

type exchangeGroup struct {
	Kem  string
	Hash vectors.HashName
}

type exchangeTest struct {
	vectors.Test
	Generation    uint8
	Rekey         vectors.Octets
	Th            vectors.Octets
	KemSeed       vectors.Octets `json:"kem_seed"`
	KemRandomness vectors.Octets `json:"kem_randomness"`
	ReceivedBy    string         `json:"received_by"`
	Offer         vectors.Octets
	Ack           vectors.Octets
	Request       vectors.Octets
	Values        map[string]vectors.Octets
}

// typed puts the type octets in front of the messages, which the file leaves out.
func (t exchangeTest) typed() exchangeTest {
	for body, kind := range map[*vectors.Octets]registry.MessageType{
		&t.Offer: registry.TypeKeyUpdate, &t.Request: registry.TypeKeyUpdate, &t.Ack: registry.TypeKeyUpdateAck,
	} {
		if *body != nil {
			*body = append([]byte{byte(kind)}, *body...)
		}
	}
	return t
}

// playGeneration plays a key exchange of an established session, valid ones by both sides.
func playGeneration(group exchangeGroup, test exchangeTest) error {
	test = test.typed()
	if !test.Valid() {
		return cited(test.receive(group), test.Test)
	}
	if err := test.compare(group); err != nil {
		return err
	}
	for _, by := range []string{"client", "server"} {
		test.ReceivedBy = by
		if err := test.receive(group); err != nil {
			return fmt.Errorf("%s: %w", by, err)
		}
	}
	return nil
}

// compare computes the values by the formulas of vectors/README.md and by the key schedule's own stages.
func (t exchangeTest) compare(group exchangeGroup) error {
	h := group.Hash.New()
	root := h.Extract(t.Rekey, t.Values["kem_secret"])
	th := h.Sum(t.Th, t.Offer, t.Ack)
	next := keyschedule.Restore(h, t.Th, bytes.Clone(t.Rekey)).Next(bytes.Clone(t.Values["kem_secret"]), t.Offer, t.Ack)
	for name, got := range map[string][]byte{
		"root": root, "th_next": th, "c_ap": next.Client, "s_ap": next.Server, "res": next.Resumption,
		"rekey_next": keyschedule.ExpandLabel(h, root, "rekey", th, h.Size()),
	} {
		if !bytes.Equal(got, t.Values[name]) {
			return fmt.Errorf("%s is %x", name, got)
		}
	}
	return nil
}

// receive makes an established side of the generation, and lets it receive what its peer sends.
func (t exchangeTest) receive(group exchangeGroup) error {
	m, peer, err := t.establish(group)
	if err != nil {
		return err
	}
	if m.config.Role == Server {
		if t.Request != nil {
			return t.deliver(m, peer, t.Request)
		}
		if err := t.deliver(m, peer, t.Offer); err != nil || !t.Valid() {
			return err
		}
		return t.expect(m, peer, t.Ack)
	}
	if t.Ack == nil {
		return t.deliver(m, peer, append(t.Request, t.Offer...))
	}
	m.Local(Rekey)
	if err := t.expect(m, peer, t.Offer); err != nil {
		return err
	}
	return t.deliver(m, peer, t.Ack)
}

// ends are the peer's two halves.
type ends struct {
	writer *record.Writer
	reader *record.Reader
}

// establish makes a machine of an established session, and its peer's records.
func (t exchangeTest) establish(group exchangeGroup) (*Machine, ends, error) {
	role := map[string]Role{"client": Client, "server": Server}[t.ReceivedBy]
	random := t.KemRandomness
	if role == Client {
		random = t.KemSeed
	}
	config, _ := transcriptGroup{}.config(role)
	config.Rand = script(random)
	m := NewMachine(config, Transport{AppendHeader: func(dst []byte, _ int) []byte { return dst }})
	kem, err := registry.KemIdOf(group.Kem)
	if err != nil {
		return nil, ends{}, err
	}
	m.suite = registry.Suite{Kem: kem, Hash: group.Hash.New().ID()}
	m.hash = group.Hash.New()
	if m.kem, err = primitive.NewKEM(kem); err != nil {
		return nil, ends{}, err
	}
	m.state = Open
	m.generation = keyschedule.Restore(m.hash, bytes.Clone(t.Th), bytes.Clone(t.Rekey))
	m.reader, m.writer = record.NewReader(m.cipher()), record.NewWriter(m.cipher(), registry.Limits{}, 0)
	peer := ends{record.NewWriter(m.cipher(), registry.Limits{}, 0), record.NewReader(m.cipher())}
	for _, begin := range []func(uint8, []byte) error{m.reader.Begin, m.writer.Begin, peer.writer.Begin, peer.reader.Begin} {
		if err := begin(t.Generation, make([]byte, m.hash.Size())); err != nil {
			return nil, ends{}, err
		}
	}
	return m, peer, nil
}

// config is a bare configuration.
func (transcriptGroup) config(role Role) (*Config, error) {
	return transcriptGroup{Suite: suiteName{"x25519", "ed25519", "aes_256_gcm", "sha_256"}}.base(role, nil)
}

// deliver lets the peer seal a message to the machine.
func (t exchangeTest) deliver(m *Machine, peer ends, message []byte) error {
	sealed, err := peer.writer.AppendControl(nil, registry.MessageType(message[0]), message[1:], noon)
	if err != nil {
		return err
	}
	m.Receive(sealed)
	return m.outcome()
}

// expect opens what the machine has sent, and holds the first record against the message.
func (t exchangeTest) expect(m *Machine, peer ends, wanted []byte) error {
	sealed := m.TakeOutput()
	size := record.Overhead + len(wanted) - 1
	if len(sealed) < size {
		return fmt.Errorf("%d octets were sent", len(sealed))
	}
	plain, header, err := peer.reader.Open(nil, sealed[:size])
	if err != nil || byte(header.Type) != wanted[0] || !bytes.Equal(plain, wanted[1:]) {
		return fmt.Errorf("%s %x was sent: %w", header.Type, plain, err)
	}
	return nil
}

// defaultMetadata is what the transcripts' sides say of themselves.
var defaultMetadata = map[Role][]byte{
	Client: mustBuild(&wire.Metadata{Properties: []Property{
		{Name: []byte("Socket-Type"), Value: []byte("DEALER")}, {Name: []byte("Identity"), Value: []byte("client")},
	}}),
	Server: mustBuild(&wire.Metadata{Properties: []Property{
		{Name: []byte("Socket-Type"), Value: []byte("ROUTER")}, {Name: []byte("Identity"), Value: []byte("server")},
	}}),
}

func mustBuild(s wire.Structure) []byte {
	octets, err := wire.Append(nil, s)
	if err != nil {
		panic(err)
	}
	return octets
}
