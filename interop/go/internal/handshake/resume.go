package handshake

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"qzmq.test/go/internal/alert"
	"qzmq.test/go/internal/certificate"
	"qzmq.test/go/internal/keyschedule"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/wire"
)

// The server's side of resumption.

// resume takes the client's ticket if it holds; then the session is resumed (RES-4 to RES-9). It also settles what
// becomes of early data (RES-15) and whether ZAP is asked (ZAP-1).
func resume(m *Machine) error {
	if err := m.decideZap(); err != nil {
		return err
	}
	if m.hello.found.psk != nil && m.config.Issued != nil {
		if err := m.tryTicket(m.hello.found.psk); err != nil {
			return err
		}
	}
	return m.answerEarly()
}

// tryTicket resumes the session if the ticket is known, fits and can be taken; a wrong binder ends it (RES-9).
func (m *Machine) tryTicket(offered *wire.PreSharedKey) error {
	issued := m.config.Issued.Find(offered.Identity)
	if issued == nil {
		return nil
	}
	h, err := primitive.NewHash(issued.Suite.Hash)
	if err != nil {
		return err
	}
	stage := keyschedule.NewEarly(h, issued.PSK)
	defer stage.Erase()
	if len(offered.Binder) != h.Size() || !hmac.Equal(m.binder(stage, m.clientHello, h), offered.Binder) {
		return alert.New(alert.DecryptError, "RES-9", "the binder is wrong")
	}
	client, fits := m.fits(issued)
	if !fits || !m.config.Issued.Take(offered.Identity) {
		return nil
	}
	m.hello.resumed = true
	m.ticket = ticketState{taken: issued, peerMetadata: issued.ClientMetadata}
	if client != nil {
		m.peer.certificate, m.peer.read, m.peer.key = issued.Certificate, client, client.Key
	}
	return m.useSuite(issued.Suite)
}

// fits tells whether a ticket is still good for the present configuration, and gives its client, nil if that was
// anonymous (RES-2, RES-5, RES-6, ZAP-10).
func (m *Machine) fits(issued *Issued) (*certificate.Peer, bool) {
	metadata, err := m.ownMetadata()
	hello := m.in.value.(*wire.ClientHello)
	if err != nil || !m.now().Before(issued.Expires) || !slices.Contains(hello.Suites, issued.Suite) ||
		issued.Listener != m.listener() || !bytes.Equal(issued.ServerMetadata, metadata) {
		return nil, false
	}
	if len(issued.Certificate) == 0 {
		return nil, !m.asksCertificate()
	}
	client, err := certificate.Read(issued.Certificate, m.config.Policy.Signatures()...)
	if err != nil || m.config.trust().Judge(client, m.now()) != nil {
		return nil, false
	}
	return client, true
}

// listener is the digest of the configuration to which tickets are bound (RES-5).
func (m *Machine) listener() [32]byte {
	h := sha256.New()
	add := func(octets []byte) {
		_ = binary.Write(h, binary.BigEndian, uint64(len(octets)))
		h.Write(octets)
	}
	add(fmt.Appendf(nil, "raw %t, type %q, suites %v", m.transport.Raw, m.config.SocketType, m.config.Policy.Suites))
	own := m.config.ownPin()
	add(own[:])
	add(bytes.Join(m.config.Chain, nil))
	add(fmt.Appendf(nil, "known only %t, zap %t", m.config.ClientPins != nil, m.config.AsksZap != nil))
	var pins [][]byte
	for pin := range m.config.ClientPins {
		pins = append(pins, slices.Clone(pin[:]))
	}
	slices.SortFunc(pins, bytes.Compare)
	add(bytes.Join(pins, nil))
	for _, anchor := range m.config.Anchors {
		add(anchor.Raw)
	}
	return [32]byte(h.Sum(nil))
}

// sendNewTickets issues tickets of the present generation (RES-1, RES-2).
func sendNewTickets(m *Machine) error {
	lifetime := m.ticketLifetime()
	if m.config.Issued == nil || lifetime < time.Second {
		return nil
	}
	for range m.config.Tickets {
		if err := m.issue(lifetime); err != nil {
			return err
		}
	}
	return nil
}

// ticketLifetime ends with the policy's limit, seven days after both sides last signed (RES-2), and with the first
// certificate of either chain (CERT-18).
func (m *Machine) ticketLifetime() time.Duration {
	now := m.now()
	lifetime := min(m.limits.TicketLifetime, m.ticket.signedAt.Add(registry.Ceilings().TicketLifetime).Sub(now))
	if m.peer.read != nil {
		if end, limited := m.peer.read.NotAfter(); limited {
			lifetime = min(lifetime, end.Sub(now))
		}
	}
	if own, err := certificate.ParseAnchors(m.config.Chain...); err == nil {
		for _, c := range own {
			lifetime = min(lifetime, c.NotAfter.Sub(now))
		}
	}
	return lifetime
}

func (m *Machine) issue(lifetime time.Duration) error {
	random, err := m.draw(40)
	if err != nil {
		return err
	}
	metadata, err := m.ownMetadata()
	if err != nil {
		return err
	}
	told := wire.NewTicket{Lifetime: uint32(lifetime / time.Second), Nonce: random[:8], Identity: random[8:]}
	if m.config.EarlyData {
		told.EarlyOctets = uint32(m.limits.EarlyOctets)
	}
	issued := &Issued{
		PSK:            keyschedule.TicketPSK(m.hash, m.generation.Resumption, told.Nonce),
		Suite:          m.suite,
		EarlyOctets:    told.EarlyOctets,
		Signed:         m.ticket.signedAt,
		Expires:        m.now().Add(lifetime),
		Certificate:    m.peer.certificate,
		ClientMetadata: m.peer.metadata,
		ServerMetadata: metadata,
		Listener:       m.listener(),
	}
	body, err := wire.Append(nil, &told)
	if err != nil {
		return err
	}
	m.config.Issued.Put(m.session, told.Identity, issued)
	return m.sendSealed(registry.TypeNewTicket, body)
}
