package handshake

import (
	"slices"

	"qzmq.test/go/internal/certificate"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/registry"
)

// peerState is what is known of the other side.
type peerState struct {
	certificate []byte            // as it came, now or with the ticket; empty of an anonymous client
	read        *certificate.Peer // nil of an anonymous client
	key         primitive.PublicKey
	metadata    []byte     // as it came
	properties  []Property // as an application may see them, without what is added
	userID      string     // by ZAP
	added       []Property // by ZAP
}

// trust is whom this side trusts: servers of a client, clients of a server.
func (c *Config) trust() *certificate.Trust {
	t := &certificate.Trust{Anchors: c.Anchors, Signatures: c.Policy.Signatures()}
	if c.Role == Server {
		t.Of, t.Pins = certificate.Client, c.ClientPins
		return t
	}
	t.Of, t.Name, t.Pins = certificate.Server, c.ServerName, map[Pin]struct{}{}
	for _, pin := range c.ServerPins {
		t.Pins[pin] = struct{}{}
	}
	return t
}

// knownClientsOnly tells whether an anonymous client is refused (HS-12).
func (c *Config) knownClientsOnly() bool { return c.ClientPins != nil || len(c.Anchors) > 0 }

// certificate is this side's own, raw or with its chain.
func (c *Config) certificate() ([]byte, error) {
	if len(c.Chain) > 0 {
		return certificate.Chain(c.Key.SPKI(), c.Chain...)
	}
	return certificate.Raw(c.Key.SPKI())
}

// ownPin is the pin of this side's key, zero without one.
func (c *Config) ownPin() Pin {
	if c.Key == nil {
		return Pin{}
	}
	return primitive.Pin(c.Key.SPKI())
}

// readCertificate parses the peer's certificate, whose key must be of one of the algorithms (CERT-1, CERT-2, CERT-7).
func (m *Machine) readCertificate(octets []byte, algorithms ...registry.SigId) error {
	read, err := certificate.Read(octets, algorithms...)
	if err != nil {
		return err
	}
	m.peer.certificate, m.peer.read, m.peer.key = slices.Clone(octets), read, read.Key
	return nil
}

// judge applies the present rules to a peer (CERT-3, CERT-4, CERT-8 to CERT-16).
func (m *Machine) judge() error { return m.config.trust().Judge(m.peer.read, m.now()) }
