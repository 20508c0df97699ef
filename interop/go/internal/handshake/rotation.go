package handshake

import (
	"time"

	"qzmq.test/go/internal/alert"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/wire"
)

const (
	lastGeneration = 255 // ROT-16
	dueStep        = 192 // ROT-15
)

// courtesy is how long a side waits for the peer, whose steps are many, to ask itself.
const courtesy = 2500 * time.Millisecond

// rotation is what a session knows of its key exchanges after the first.
type rotation struct {
	offer     []byte // client: the open offer from its type octet on, nil if there is none
	requested bool   // server: a request is on its way (ROT-11)
	answer    []byte // server: the ciphertext for the offer at hand, and its secret
	secret    []byte
	began     time.Time // when the generation began (ROT-15)
	noticed   time.Time // when it was first seen that the peer's steps are many
}

// RekeyDue tells whether this side should ask for a new generation now (ROT-15), and could.
func (m *Machine) RekeyDue() bool {
	due, may := m.NextRekey()
	return may && !m.now().Before(due)
}

// NextRekey is when this side should ask for a new generation; false if it may not. Many steps of its own are due at
// once. Many steps of the peer the peer knows first, so it has a moment to ask.
func (m *Machine) NextRekey() (time.Time, bool) {
	if m.state != Open || !mayRekey(m) {
		return time.Time{}, false
	}
	due := m.RekeyTime()
	if m.writer.StepNumber() >= dueStep {
		due = m.now()
	}
	if m.reader.StepNumber() >= dueStep {
		if m.rotation.noticed.IsZero() {
			m.rotation.noticed = m.now()
		}
		due = earlier(due, m.rotation.noticed.Add(courtesy))
	}
	return due, true
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// RekeyTime is when the present generation is old (ROT-15).
func (m *Machine) RekeyTime() time.Time { return m.rotation.began.Add(m.limits.GenerationAge) }

// generateOffer makes the key pair of an offer, fresh for each (ROT-13).
func generateOffer(m *Machine) (err error) {
	m.kemKey, err = m.kem.GenerateKey(m.config.Rand)
	return err
}

func sendKeyOffer(m *Machine) error {
	update := wire.KeyUpdate{Kind: wire.Offer, Generation: m.writer.Generation() + 1, Body: m.kemKey.PublicKey()}
	message, err := build(registry.TypeKeyUpdate, &update)
	if err != nil {
		return err
	}
	m.rotation.offer = message
	return m.sendSealed(registry.TypeKeyUpdate, message[1:])
}

func sendKeyRequest(m *Machine) error {
	message, err := build(registry.TypeKeyUpdate, &wire.KeyUpdate{Kind: wire.Request, Generation: m.writer.Generation() + 1})
	if err != nil {
		return err
	}
	m.rotation.requested = true
	return m.sendSealed(registry.TypeKeyUpdate, message[1:])
}

// acceptRequest checks a server's request (ROT-7, ROT-8, ROT-10).
func acceptRequest(m *Machine) error { return m.checkKeyUpdate(wire.Request) }

// checkKeyUpdate checks what a peer of this role sends, and for which generation.
func (m *Machine) checkKeyUpdate(kind wire.Kind) error {
	update := m.in.value.(*wire.KeyUpdate)
	if update.Kind != kind {
		return alert.New(alert.IllegalParameter, "ROT-7", "kind %d of a %s", update.Kind, m.config.Role.Opposite())
	}
	return m.checkGeneration(update.Generation)
}

// checkGeneration demands the generation after the present one (ROT-8); there is none after 255 (ROT-16).
func (m *Machine) checkGeneration(generation uint8) error {
	if present := m.writer.Generation(); int(generation) != int(present)+1 {
		return alert.New(alert.IllegalParameter, "ROT-8", "generation %d after %d", generation, present)
	}
	return nil
}

// acceptOffer checks a client's offer and encapsulates to it (ROT-7 to ROT-9, ROT-12).
func acceptOffer(m *Machine) (err error) {
	if m.reader.Awaits() {
		return alert.New(alert.IllegalParameter, "ROT-9", "an offer before the client has entered the last one's generation")
	}
	if err = m.checkKeyUpdate(wire.Offer); err != nil {
		return err
	}
	m.rotation.answer, m.rotation.secret, err = m.kem.Encapsulate(m.in.value.(*wire.KeyUpdate).Body, m.config.Rand)
	return err
}

// sendKeyUpdateAck answers the offer, derives the next generation and begins it in the server's direction; the client's
// may begin with any record (ROT-14).
func sendKeyUpdateAck(m *Machine) error {
	offer := m.in.value.(*wire.KeyUpdate)
	whole, err := build(registry.TypeKeyUpdate, offer)
	if err != nil {
		return err
	}
	ack, err := build(registry.TypeKeyUpdateAck, &wire.KeyUpdateAck{Generation: offer.Generation, KemCiphertext: m.rotation.answer})
	if err != nil {
		return err
	}
	if err := m.sendSealed(registry.TypeKeyUpdateAck, ack[1:]); err != nil {
		return err
	}
	m.generation = m.generation.Next(m.rotation.secret, whole, ack)
	m.rotation.answer, m.rotation.secret = nil, nil
	m.reader.Await(m.generation.Client)
	return m.beginWriting(m.generation.Server)
}

// acceptAck decapsulates and begins the next generation in both directions (ROT-8, ROT-13, ROT-14). While this side is
// closing it sends nothing more, but what the server still sends is of the new generation.
func acceptAck(m *Machine) error {
	ack := m.in.value.(*wire.KeyUpdateAck)
	if err := m.checkGeneration(ack.Generation); err != nil {
		return err
	}
	secret, err := m.kemKey.Decapsulate(ack.KemCiphertext)
	if err != nil {
		return err
	}
	whole, err := build(registry.TypeKeyUpdateAck, ack)
	if err != nil {
		return err
	}
	m.generation = m.generation.Next(secret, m.rotation.offer, whole)
	m.rotation.offer, m.kemKey = nil, nil
	if m.config.Held != nil {
		m.config.Held.Discard(m.session) // RES-3
	}
	if err := m.reader.Begin(ack.Generation, m.generation.Server); err != nil {
		return err
	}
	return m.beginWriting(m.generation.Client)
}

func (m *Machine) beginWriting(traffic []byte) error {
	next := m.writer.Generation() + 1
	m.rotation.requested, m.rotation.began, m.rotation.noticed = false, m.now(), time.Time{}
	m.emit(GenerationBegan{Generation: next})
	return m.writer.Begin(next, traffic)
}

// discardTickets forgets the tickets of the old generation (RES-3).
func discardTickets(m *Machine) error {
	if m.config.Issued != nil {
		m.config.Issued.Discard(m.session)
	}
	return nil
}
