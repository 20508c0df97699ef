package vectors

import (
	"time"

	"qzmq.test/go/internal/certificate"
	"qzmq.test/go/internal/handshake"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/wire"
)

// The two sides of a transcript, configured so that they say what it has.

func newSide(t transcript, o opened, role handshake.Role) (*handshake.Machine, error) {
	transport := unframed(t.Prologue)
	transport.Raw = t.Binding == "raw"
	if role == handshake.Server {
		return newServer(t, o, transport)
	}
	config, err := clientConfig(t, o)
	if err != nil {
		return nil, err
	}
	m := handshake.NewMachine(config, transport)
	if t.KemRandomness == nil && o.schedule.KemSecret != nil {
		m.UseKEM(func(id registry.KemId) (primitive.KEM, error) {
			kem, err := primitive.NewKEM(id)
			return scriptedKEM{kem, o.key.KemCiphertext, o.schedule.KemSecret}, err
		})
	}
	return m, nil
}

func clientConfig(t transcript, o opened) (*handshake.Config, error) {
	config := base(handshake.Client, o.suite)
	config.Metadata = metadataOf(o.auth.Metadata, handshake.Client, t.Binding)
	config.ServerPins = []handshake.Pin{handshake.Pin(t.ServerPin)}
	if t.ClientAuthentication {
		key, err := newScriptedKey(o.suite.Sig, t.ClientSeed, o.auth.Signature)
		if err != nil {
			return nil, err
		}
		config.Key = key
	}
	config.Rand = script(o.hello.Random, greaseOf(o.hello), t.KemRandomness)
	if t.PSK == nil || o.offered == nil {
		return config, nil
	}
	config.EarlyData = o.early
	held, err := heldTicket(t, o, config)
	config.Held = &holding{held}
	return config, err
}

// greaseOf gives the octets from which a client makes the transcript's GREASE.
func greaseOf(hello wire.ClientHello) []byte {
	if len(hello.Extensions) == 0 || len(hello.Suites) == 0 {
		return []byte{0, 0}
	}
	return []byte{byte(hello.Extensions[0].ExtensionType), byte(hello.Suites[len(hello.Suites)-1].Kem)}
}

// heldTicket gives the ticket that the transcript's client offers.
func heldTicket(t transcript, o opened, config *handshake.Config) (*handshake.Ticket, error) {
	shown, err := rawCertificate(o.suite.Sig, t.ServerSeed)
	if err != nil {
		return nil, err
	}
	server, err := encoded(metadataOf(nil, handshake.Server, t.Binding))
	if err != nil {
		return nil, err
	}
	own, err := encoded(config.Metadata)
	held := &handshake.Ticket{
		Identity: o.offered.Identity, PSK: t.PSK, Suite: o.suite, EarlyOctets: earlyOctets, Signed: noon, Expires: noon.Add(time.Hour),
		Certificate: shown, ServerMetadata: server, OwnMetadata: own,
	}
	if config.Key != nil {
		held.OwnPin = primitive.Pin(config.Key.SPKI())
	}
	return held, err
}

// earlyOctets is what the vectors' tickets allow.
const earlyOctets = 16384

func rawCertificate(sig registry.SigId, seed []byte) ([]byte, error) {
	key, err := signingKey(sig, seed)
	if err != nil {
		return nil, err
	}
	return certificate.Raw(key.SPKI())
}

func newServer(t transcript, o opened, transport handshake.Transport) (*handshake.Machine, error) {
	config := base(handshake.Server, o.suite)
	config.Metadata = metadataOf(o.last.Metadata, handshake.Server, t.Binding)
	key, err := newScriptedKey(o.suite.Sig, t.ServerSeed, o.answer.Signature)
	if err != nil {
		return nil, err
	}
	config.Key = key
	if t.ClientAuthentication {
		config.ClientPins = map[handshake.Pin]struct{}{handshake.Pin(t.ClientPin): {}}
	}
	var grease []byte
	var request wire.ClientAuthRequest
	if extension(o.answer.Extensions, registry.ClientAuthRequest, &request) {
		grease = []byte{byte(request.Algorithms[len(request.Algorithms)-1])}
	}
	config.Rand = script(t.KemSeed, o.answer.Random, grease)
	var early wire.EarlyDataAnswer
	config.EarlyData = !extension(o.answer.Extensions, registry.EarlyData, &early) || early.Status == wire.Accepted
	store := &issuing{}
	config.Issued = store
	m := handshake.NewMachine(config, transport)
	if t.PSK != nil && t.Known && o.offered != nil {
		store.identity = o.offered.Identity
		store.issued, err = issuedTicket(t, o, config)
		store.issued.Listener = m.Listener()
	}
	return m, err
}

// issuedTicket gives the ticket that the transcript's client offers, as its server keeps it.
func issuedTicket(t transcript, o opened, config *handshake.Config) (issued *handshake.Issued, err error) {
	issued = &handshake.Issued{PSK: t.PSK, Suite: o.suite, EarlyOctets: earlyOctets, Signed: noon, Expires: noon.Add(time.Hour)}
	if issued.ClientMetadata, err = encoded(metadataOf(nil, handshake.Client, t.Binding)); err != nil {
		return issued, err
	}
	if issued.ServerMetadata, err = encoded(config.Metadata); err != nil {
		return issued, err
	}
	if t.ClientAuthentication {
		issued.Certificate, err = rawCertificate(o.suite.Sig, t.ClientSeed)
	}
	return issued, err
}
