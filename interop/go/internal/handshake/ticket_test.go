package handshake

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"qzmq.test/go/internal/keyschedule"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/record"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/vectors"
	"qzmq.test/go/internal/wire"
)

// TestTicketVectors plays tickets.json.
func TestTicketVectors(t *testing.T) {
	file := vectors.Load(t, "tickets")
	vectors.Each(t, file, "Psk", playPSK)
	vectors.Each(t, file, "NewTicket", playNewTicket)
	vectors.Each(t, file, "Resumption", playTranscript)
	vectors.Each(t, file, "EarlyData", playEarly)
	file.Done(t)
}

type pskTest struct {
	vectors.Test
	Res, Nonce, PSK vectors.Octets
}

func playPSK(group struct{ Hash vectors.HashName }, test pskTest) error {
	if psk := keyschedule.TicketPSK(group.Hash.New(), test.Res, test.Nonce); !bytes.Equal(psk, test.PSK) {
		return fmt.Errorf("psk is %x", psk)
	}
	return nil
}

type newTicketTest struct {
	vectors.Test
	NewTicket vectors.Octets `json:"new_ticket"`
}

// playNewTicket lets an established client receive the ticket.
func playNewTicket(_ struct{}, test newTicketTest) error {
	exchange := exchangeTest{Test: test.Test, ReceivedBy: "client", Generation: 1}
	m, peer, err := exchange.establish(exchangeGroup{Kem: "x25519", Hash: "sha_256"})
	if err != nil {
		return err
	}
	return exchange.deliver(m, peer, append([]byte{byte(registry.TypeNewTicket)}, test.NewTicket...))
}

type earlyTest struct {
	vectors.Test
	PSK         vectors.Octets `json:"psk"`
	Prologue    vectors.Octets
	ClientHello vectors.Octets `json:"client_hello"`
	CEarly      vectors.Octets `json:"c_early"`
	Records     []vectors.Octets
	Plaintexts  []vectors.Octets
}

// playEarly lets a server that has accepted early data receive its records, and seals valid ones again.
func playEarly(group vectors.RecordsGroup, test earlyTest) error {
	config, err := transcriptGroup{}.config(Server)
	if err != nil {
		return err
	}
	m := NewMachine(config, Transport{Prologue: test.Prologue, AppendHeader: func(dst []byte, _ int) []byte { return dst }})
	m.state, m.clientHello = WaitClientKey, test.ClientHello
	traffic, cipher, err := m.earlyTraffic(test.PSK, registry.Suite{Aead: group.Aead.ID(), Hash: group.Hash.New().ID()})
	if err != nil || !bytes.Equal(traffic, test.CEarly) {
		return fmt.Errorf("c_early is %x: %w", traffic, err)
	}
	m.early = earlyState{announced: true, status: EarlyAccepted, most: m.limits.EarlyOctets}
	if m.early.reader, err = record.NewEarlyReader(cipher, bytes.Clone(traffic)); err != nil {
		return err
	}
	for i, sealed := range test.Records {
		m.Receive(sealed)
		if err := test.heard(m, i); err != nil {
			return cited(err, test.Test)
		}
	}
	return test.seal(cipher, traffic)
}

// heard holds what record i has led to against the test.
func (t earlyTest) heard(m *Machine, i int) error {
	var got []byte
	for _, event := range m.TakeEvents() {
		switch e := event.(type) {
		case EarlyReceived:
			got = append(got, e.Octets...)
		case Ended:
			return e.Alert
		}
	}
	if !bytes.Equal(got, t.Plaintexts[i]) {
		return fmt.Errorf("record %d opens to %x", i, got)
	}
	return nil
}

func (t earlyTest) seal(cipher record.Cipher, traffic []byte) error {
	w, err := record.NewEarlyWriter(cipher, registry.Limits{}, traffic)
	if err != nil {
		return err
	}
	for i, plaintext := range t.Plaintexts {
		sealed, err := w.AppendData(nil, plaintext, time.Time{})
		if err != nil || !bytes.Equal(sealed, t.Records[i]) {
			return fmt.Errorf("record %d is %x: %w", i, sealed, err)
		}
	}
	return nil
}

// heldTicket gives the ticket that the transcript's client offers, if it does, and whether it announces early data.
func heldTicket(group transcriptGroup, test transcriptTest, config *Config) (*Ticket, bool) {
	var hello wire.ClientHello
	if wire.Parse(test.find(registry.TypeClientHello)[1:], &hello) != nil {
		return nil, false
	}
	found, err := readExtensions(registry.TypeClientHello, hello.Extensions)
	if err != nil || found.psk == nil {
		return nil, false
	}
	server, err := primitive.NewSigningKey(group.Suite.suite().Sig, [32]byte(group.ServerSeed))
	if err != nil {
		panic(err)
	}
	own := &Machine{config: config, transport: Transport{Raw: group.Binding == "raw"}}
	metadata, err := own.ownMetadata()
	if err != nil {
		panic(err)
	}
	return &Ticket{
		Identity: found.psk.Identity, PSK: test.PSK, Suite: group.Suite.suite(), EarlyOctets: 16384,
		Signed: noon, Expires: noon.Add(time.Hour), Certificate: rawCertificate(server),
		ServerMetadata: metadataOf(nil, Server, group), OwnPin: config.ownPin(), OwnMetadata: metadata,
	}, found.early
}

// issueTicket puts the ticket that the transcript's client offers into the server's store.
func issueTicket(group transcriptGroup, test transcriptTest, store *memory) {
	var hello wire.ClientHello
	if wire.Parse(test.find(registry.TypeClientHello)[1:], &hello) != nil {
		return
	}
	found, err := readExtensions(registry.TypeClientHello, hello.Extensions)
	if err != nil || found.psk == nil {
		return
	}
	issued := &Issued{
		PSK: test.PSK, Suite: group.Suite.suite(), EarlyOctets: 16384, Signed: noon, Expires: noon.Add(time.Hour),
		ClientMetadata: metadataOf(nil, Client, group), ServerMetadata: metadataOf(nil, Server, group),
	}
	if group.ClientAuthentication {
		client, err := primitive.NewSigningKey(group.Suite.suite().Sig, [32]byte(group.ClientSeed))
		if err != nil {
			panic(err)
		}
		issued.Certificate = rawCertificate(client)
	}
	store.issued[string(found.psk.Identity)] = issued
}
