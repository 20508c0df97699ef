package handshake

import (
	"bytes"
	"slices"
	"time"

	"qzmq.test/go/internal/alert"
	"qzmq.test/go/internal/certificate"
	"qzmq.test/go/internal/keyschedule"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/wire"
)

// The client's side of resumption.

// chooseTicket takes the first ticket that may be offered; those before it are of no use any more (RES-6, RES-7).
func (m *Machine) chooseTicket() {
	if m.config.Held == nil {
		return
	}
	for t := m.config.Held.Take(); t != nil; t = m.config.Held.Take() {
		if server, ok := m.usable(t); ok {
			m.ticket = ticketState{offered: t, server: server, peerMetadata: t.ServerMetadata}
			return
		}
	}
}

// usable tells whether a ticket is still good for the present configuration, and gives its server.
func (m *Machine) usable(t *Ticket) (*certificate.Peer, bool) {
	metadata, err := m.ownMetadata()
	if err != nil || !m.now().Before(t.Expires) || !slices.Contains(m.config.Policy.Suites, t.Suite) ||
		t.OwnPin != m.config.ownPin() || !bytes.Equal(t.OwnMetadata, metadata) {
		return nil, false
	}
	server, err := certificate.Read(t.Certificate, t.Suite.Sig)
	if err != nil || m.config.trust().Judge(server, m.now()) != nil {
		return nil, false
	}
	return server, true
}

// bindHello puts the ticket into the last extension of a ClientHello and gives its octets, with the binder over all
// before it (RES-8, RES-9).
func (m *Machine) bindHello(hello *wire.ClientHello) ([]byte, error) {
	h, err := primitive.NewHash(m.ticket.offered.Suite.Hash)
	if err != nil {
		return nil, err
	}
	body, err := wire.Append(nil, &wire.PreSharedKey{Identity: m.ticket.offered.Identity, Binder: make([]byte, h.Size())})
	if err != nil {
		return nil, err
	}
	if at := len(hello.Extensions) - 1; hello.Extensions[at].ExtensionType == registry.PreSharedKey {
		hello.Extensions = hello.Extensions[:at]
	}
	hello.Extensions = append(hello.Extensions, wire.Extension{ExtensionType: registry.PreSharedKey, ExtensionData: body})
	message, err := build(registry.TypeClientHello, hello)
	if err != nil {
		return nil, err
	}
	stage := keyschedule.NewEarly(h, m.ticket.offered.PSK)
	defer stage.Erase()
	copy(message[len(message)-h.Size():], m.binder(stage, message, h))
	return message, nil
}

// binder confirms prologue || ClientHello up to the binder's length octet, which is its last field.
func (m *Machine) binder(stage keyschedule.Early, clientHello []byte, h primitive.Hash) []byte {
	return keyschedule.VerifyData(h, stage.BinderKey(), m.transport.Prologue, clientHello[:len(clientHello)-h.Size()-1])
}

// acceptAnswers checks what ServerHello says of the ticket and of early data (RES-10, RES-13, RES-15).
func (m *Machine) acceptAnswers(hello *wire.ServerHello, found extensions) error {
	switch {
	case found.accepted && m.ticket.offered == nil, found.answer != nil && !m.early.announced:
		return alert.New(alert.UnsupportedExtension, "RES-13", "an answer to what was not offered")
	case found.answer != nil && found.answer.Status != EarlyUnknown && !found.accepted:
		return alert.New(alert.IllegalParameter, "RES-15", "early data is answered without the ticket")
	case found.accepted && (hello.Suite != m.ticket.offered.Suite || len(hello.Certificate) > 0 || found.request != nil):
		return alert.New(alert.IllegalParameter, "RES-10", "a resumed session with another suite, a certificate or a request for one")
	}
	m.hello.resumed = found.accepted
	if found.accepted {
		m.peer.certificate, m.peer.read, m.peer.key = m.ticket.offered.Certificate, m.ticket.server, m.ticket.server.Key
	}
	if m.early.announced {
		m.early.status = EarlyUnknown
		if found.answer != nil {
			m.early.status = found.answer.Status
		}
	}
	return nil
}

// trustServer judges the server's key (CERT-1 to CERT-3, CERT-7 to CERT-16); of a resumed session that was done before
// the ticket was offered (RES-6).
func trustServer(m *Machine) error {
	if m.hello.resumed {
		return nil
	}
	hello := m.in.value.(*wire.ServerHello)
	if err := m.readCertificate(hello.Certificate, hello.Suite.Sig); err != nil {
		return err
	}
	return m.judge()
}

// acceptTicket computes the PSK of a ticket and hands it to whoever keeps tickets (RES-1, RES-2).
func acceptTicket(m *Machine) error {
	told := m.in.value.(*wire.NewTicket)
	longest := registry.Ceilings().TicketLifetime
	lifetime := time.Duration(told.Lifetime) * time.Second
	if lifetime > longest {
		return alert.New(alert.IllegalParameter, "RES-2", "a lifetime of %d s", told.Lifetime)
	}
	if m.config.Held == nil {
		return nil
	}
	metadata, err := m.ownMetadata()
	if err != nil {
		return err
	}
	expires := m.now().Add(lifetime)
	if last := m.ticket.signedAt.Add(longest); last.Before(expires) {
		expires = last
	}
	m.config.Held.Put(m.session, &Ticket{
		Identity:       slices.Clone(told.Identity),
		PSK:            keyschedule.TicketPSK(m.hash, m.generation.Resumption, told.Nonce),
		Suite:          m.suite,
		EarlyOctets:    told.EarlyOctets,
		Signed:         m.ticket.signedAt,
		Expires:        expires,
		Certificate:    m.peer.certificate,
		ServerMetadata: m.peer.metadata,
		OwnPin:         m.config.ownPin(),
		OwnMetadata:    metadata,
	})
	m.emit(NewTicket{})
	return nil
}
