package vectors

import (
	"qzmq.test/go/internal/handshake"
	"qzmq.test/go/internal/keyschedule"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/registry"
)

type derived struct {
	Hash  hash
	Res   Octets
	Nonce Octets
}

func psk(given derived) (Output, error) {
	return Output{"psk": Octets(keyschedule.TicketPSK(given.Hash.Hash, given.Res, given.Nonce))}, nil
}

type told struct {
	NewTicket Octets `json:"new_ticket"`
}

// ticket lets an established client receive a NewTicket.
func ticket(given told) (Output, error) {
	h, err := primitive.NewHash(registry.SHA256)
	if err != nil {
		return nil, err
	}
	secret := make([]byte, h.Size())
	p, err := exchanged{Kem: registry.X25519, Hash: hash{h}, Generation: 1, Rekey: secret, Th: secret, ReceivedBy: "client"}.begin()
	if err != nil {
		return nil, err
	}
	return Output{}, p.receive(registry.TypeNewTicket, given.NewTicket)
}

type announced struct {
	Aead        registry.AeadId
	Hash        hash
	PSK         Octets
	Prologue    Octets
	ClientHello Octets `json:"client_hello"`
	Records     []Octets
}

// early lets a server that has accepted early data receive its records.
func early(given announced) (Output, error) {
	suite := registry.Suite{Aead: given.Aead, Hash: given.Hash.ID()}
	config := base(handshake.Server, suite)
	config.EarlyData = true
	taken := &handshake.Issued{PSK: given.PSK, Suite: suite, EarlyOctets: earlyOctets}
	m, err := handshake.NewResuming(config, unframed(given.Prologue), given.ClientHello, taken)
	if err != nil {
		return nil, err
	}
	plaintexts := []Octets{}
	for i, sealed := range given.Records {
		m.Receive(sealed)
		plaintext := Octets{}
		events := m.TakeEvents()
		if err := ended(events); err != nil {
			return nil, &Refusal{i, err}
		}
		for _, event := range events {
			if e, ok := event.(handshake.EarlyReceived); ok {
				plaintext = append(plaintext, e.Octets...)
			}
		}
		plaintexts = append(plaintexts, plaintext)
	}
	traffic := keyschedule.NewEarly(given.Hash.Hash, given.PSK).ClientTraffic(given.Prologue, given.ClientHello)
	return Output{"c_early": Octets(traffic), "plaintexts": plaintexts}, nil
}
