package handshake

import (
	"bytes"
	"slices"
	"strings"

	"qzmq.test/go/internal/alert"
	"qzmq.test/go/internal/certificate"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/wire"
)

// Bounds of metadata, in octets.
const (
	maxMetadata = 8192 // PAT-3
	maxIdentity = 255  // PAT-7
)

const (
	socketTypeName = "Socket-Type"
	identityName   = "Identity"
	resourceName   = "Resource"
)

// knownNames are those that libzmq compares by octets (PAT-6).
var knownNames = []string{socketTypeName, identityName, resourceName}

// known tells whether a name is one of these, in any case.
func known(name string) bool {
	return slices.ContainsFunc(knownNames, func(k string) bool { return strings.EqualFold(name, k) })
}

// peers is the tables socket-types and draft-socket-types (PAT-1).
var peers = map[string][]string{
	"REQ": {"REP", "ROUTER"}, "REP": {"REQ", "DEALER"},
	"DEALER": {"REP", "DEALER", "ROUTER"}, "ROUTER": {"REQ", "DEALER", "ROUTER"},
	"PUB": {"SUB", "XSUB"}, "SUB": {"PUB", "XPUB"}, "XPUB": {"SUB", "XSUB"}, "XSUB": {"PUB", "XPUB"},
	"PUSH": {"PULL"}, "PULL": {"PUSH"}, "PAIR": {"PAIR"},
	"CLIENT": {"SERVER"}, "SERVER": {"CLIENT"}, "RADIO": {"DISH"}, "DISH": {"RADIO"},
	"SCATTER": {"GATHER"}, "GATHER": {"SCATTER"}, "PEER": {"PEER"}, "CHANNEL": {"CHANNEL"},
}

// ownMetadata is what this side tells of itself: nothing in raw (PAT-8).
func (m *Machine) ownMetadata() ([]byte, error) {
	if m.transport.Raw {
		return nil, nil
	}
	properties := m.config.Metadata
	if _, told := find(properties, socketTypeName); !told {
		properties = append([]Property{{Name: []byte(socketTypeName), Value: []byte(m.config.SocketType)}}, properties...)
	}
	return wire.Append(nil, &wire.Metadata{Properties: properties})
}

// find gives a property by its name, whose case does not matter.
func find(properties []Property, name string) ([]byte, bool) {
	for _, p := range properties {
		if strings.EqualFold(string(p.Name), name) {
			return p.Value, true
		}
	}
	return nil, false
}

// acceptMetadata takes the peer's metadata from ClientAuth or Finished (PAT-1, PAT-3 to PAT-9, RES-7, RES-12).
func acceptMetadata(m *Machine) error {
	var octets []byte
	switch value := m.in.value.(type) {
	case *wire.ClientAuth:
		octets = value.Metadata
	case *wire.Finished:
		octets = value.Metadata
	}
	if m.hello.resumed && !bytes.Equal(octets, m.ticket.peerMetadata) {
		return alert.New(alert.IllegalParameter, m.ownRule("RES-12", "RES-7"), "other metadata than the ticket's")
	}
	m.peer.metadata = slices.Clone(octets)
	if m.transport.Raw {
		if len(octets) > 0 {
			return alert.New(alert.IllegalParameter, "PAT-8", "metadata in the raw binding")
		}
		return nil
	}
	properties, err := ParseMetadata(octets)
	if err != nil {
		return err
	}
	if err := m.checkMetadata(properties); err != nil {
		return err
	}
	m.peer.properties = visible(properties)
	return nil
}

// ownRule is the rule by which this side judges: a client's or a server's.
func (m *Machine) ownRule(client, server string) string {
	if m.config.Role == Client {
		return client
	}
	return server
}

// ParseMetadata reads properties and checks their names (PAT-3, PAT-4).
func ParseMetadata(octets []byte) ([]Property, error) {
	if len(octets) > maxMetadata {
		return nil, alert.New(alert.DecodeError, "PAT-3", "metadata of %d octets", len(octets))
	}
	var parsed wire.Metadata
	if err := wire.Parse(octets, &parsed); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, p := range parsed.Properties {
		if bytes.ContainsFunc(p.Name, func(r rune) bool { return !nameRune(r) }) {
			return nil, alert.New(alert.DecodeError, "PAT-4", "a name has an octet that is not permitted")
		}
		folded := strings.ToLower(string(p.Name))
		if seen[folded] {
			return nil, alert.New(alert.DecodeError, "PAT-4", "property %s twice", folded)
		}
		seen[folded] = true
	}
	return parsed.Properties, nil
}

func nameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.+", r)
}

// checkMetadata judges the peer's socket type and identity (PAT-1, PAT-7, PAT-9).
func (m *Machine) checkMetadata(properties []Property) error {
	socketType, _ := find(properties, socketTypeName)
	if !slices.Contains(peers[m.config.SocketType], string(socketType)) {
		return alert.New(alert.HandshakeFailure, "PAT-1", "Socket-Type %q is no peer of %s", socketType, m.config.SocketType)
	}
	identity, _ := find(properties, identityName)
	switch {
	case len(identity) > maxIdentity, len(identity) > 0 && identity[0] == 0:
		return alert.New(alert.IllegalParameter, "PAT-7", "an Identity of %d octets, or one that begins with zero", len(identity))
	case m.config.IdentityIsPin && len(identity) > 0 && string(identity) != m.peer.pin():
		return alert.New(alert.AccessDenied, "PAT-9", "the Identity is not the peer's pin")
	}
	return nil
}

// pin is the peer's pin in 40 Z85 characters, empty of an anonymous client.
func (p *peerState) pin() string {
	if p.read == nil {
		return ""
	}
	return certificate.FormatKey(p.read.Pin())
}

// reserved tells whether a name is the receiver's alone (PAT-5).
func reserved(name string) bool {
	folded := strings.ToLower(name)
	return folded == "user-id" || folded == "peer-address" ||
		strings.HasPrefix(folded, "x-qzmq-") || strings.HasPrefix(folded, "__")
}

// visible drops reserved names and writes known ones as libzmq compares them (PAT-5, PAT-6).
func visible(properties []Property) []Property {
	var kept []Property
	for _, p := range properties {
		if reserved(string(p.Name)) {
			continue
		}
		name := string(p.Name)
		for _, proper := range knownNames {
			if strings.EqualFold(name, proper) {
				name = proper
			}
		}
		kept = append(kept, Property{Name: []byte(name), Value: slices.Clone(p.Value)})
	}
	return kept
}

// describePeer is what the owner learns of the peer.
func (m *Machine) describePeer() Peer {
	userID := m.peer.pin()
	if m.hello.zap {
		userID = m.peer.userID
	}
	return m.describe(&m.peer, m.suite, userID, m.hello.resumed)
}

// Remembered is what a client whose ClientHello announced early data knows of its server by the ticket: whatever
// Finished says must be the same (RES-12). False once ServerHello has come, and without early data.
func (m *Machine) Remembered() (Peer, bool) {
	if m.early.writer == nil {
		return Peer{}, false
	}
	server := peerState{read: m.ticket.server, key: m.ticket.server.Key}
	if properties, err := ParseMetadata(m.ticket.peerMetadata); err == nil {
		server.properties = visible(properties)
	}
	return m.describe(&server, m.ticket.offered.Suite, server.pin(), true), true
}

// describe puts together what is known of a peer, in the zmtp binding with the properties of PAT-10 and ZAP-6.
func (m *Machine) describe(p *peerState, suite registry.Suite, userID string, resumed bool) Peer {
	peer := Peer{Suite: suite, Resumed: resumed}
	if p.read != nil {
		peer.SPKI, peer.Pin = p.key.SPKI(), p.read.Pin()
	}
	if m.transport.Raw {
		return peer
	}
	peer.Metadata = p.properties
	for _, added := range append([]Property{
		{Name: []byte("User-Id"), Value: []byte(userID)},
		{Name: []byte("X-QZMQ-Peer"), Value: []byte(p.pin())},
		{Name: []byte("X-QZMQ-Peer-Address"), Value: []byte(m.transport.PeerAddress)},
		{Name: []byte("X-QZMQ-Mechanism"), Value: []byte("QZMQ")},
		{Name: []byte("X-QZMQ-Suite"), Value: []byte(strings.ToUpper(suite.String()))},
	}, p.added...) {
		if len(added.Value) > 0 {
			peer.Metadata = replace(peer.Metadata, added)
		}
	}
	return peer
}

// replace puts a property in place of the one of the same name.
func replace(properties []Property, with Property) []Property {
	kept := slices.DeleteFunc(properties, func(p Property) bool { return strings.EqualFold(string(p.Name), string(with.Name)) })
	return append(kept, with)
}
