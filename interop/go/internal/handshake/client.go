package handshake

import (
	"bytes"
	"crypto/hmac"
	"encoding/binary"
	"io"
	"slices"

	"qzmq.test/go/internal/alert"
	"qzmq.test/go/internal/keyschedule"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/record"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/wire"
)

// The contexts of the two signatures (HS-6, HS-13).
const (
	serverContext = "QZMQ-v1 server signature\x00"
	clientContext = "QZMQ-v1 client signature\x00"
)

// helloState is what the hellos have settled.
type helloState struct {
	own     *wire.ClientHello // client: as it was sent
	asked   bool              // the server asked for a certificate
	accepts []registry.SigId  // of these algorithms
	resumed bool
	zap     bool       // server: ZAP is asked about this client
	found   extensions // server: those of ClientHello
}

// sendClientHello offers the suites of the policy (HS-8, POL-2), with GREASE (REG-11), and a ticket if there is one.
func sendClientHello(m *Machine) error {
	random, err := m.draw(wire.RandomSize + 2)
	if err != nil {
		return err
	}
	extra, suite := registry.Grease(random[wire.RandomSize]), registry.Grease(random[wire.RandomSize+1])
	hello := &wire.ClientHello{
		Version:    registry.Version,
		Random:     random[:wire.RandomSize],
		Suites:     append(slices.Clone(m.config.Policy.Suites), greaseSuite(suite)),
		Extensions: []wire.Extension{{ExtensionType: registry.ExtensionType(extra)}},
	}
	m.chooseTicket()
	if m.ticket.offered != nil && m.config.EarlyData && m.ticket.offered.EarlyOctets > 0 {
		hello.Extensions = append(hello.Extensions, wire.Extension{ExtensionType: registry.EarlyData})
		m.early.announced = true
	}
	return m.sendHello(hello)
}

// greaseSuite has a GREASE value twice in a row.
func greaseSuite(value uint16) registry.Suite {
	octet := byte(value)
	return registry.Suite{Kem: registry.KemId(octet), Sig: registry.SigId(octet), Aead: registry.AeadId(octet), Hash: registry.HashId(octet)}
}

// sendHello completes a ClientHello with the ticket's extension, sends it, and keeps it for the transcript.
func (m *Machine) sendHello(hello *wire.ClientHello) (err error) {
	m.hello.own = hello
	if m.ticket.offered != nil {
		m.clientHello, err = m.bindHello(hello)
	} else {
		m.clientHello, err = build(registry.TypeClientHello, hello)
	}
	if err != nil {
		return err
	}
	m.send(m.clientHello)
	return m.beginEarly()
}

func (m *Machine) draw(size int) ([]byte, error) {
	octets := make([]byte, size)
	_, err := io.ReadFull(m.config.Rand, octets)
	return octets, err
}

// acceptServerHello checks version, suite, extensions and the presence of a certificate (HS-2, HS-4, HS-5).
func acceptServerHello(m *Machine) error {
	hello := m.in.value.(*wire.ServerHello)
	if hello.Version != registry.Version {
		return alert.New(alert.ProtocolVersion, "HS-2", "version %d", hello.Version)
	}
	if !slices.Contains(m.config.Policy.Suites, hello.Suite) {
		return alert.New(alert.IllegalParameter, "HS-4", "suite %s was not offered", hello.Suite)
	}
	extensions, err := readExtensions(registry.TypeServerHello, hello.Extensions)
	if err != nil {
		return err
	}
	if err := m.acceptAnswers(hello, extensions); err != nil {
		return err
	}
	if !m.hello.resumed && len(hello.Certificate) == 0 {
		return alert.New(alert.IllegalParameter, "HS-5", "no certificate")
	}
	if request := extensions.request; request != nil {
		m.hello.asked, m.hello.accepts = true, request.Algorithms
	}
	m.serverHello = m.in.message
	return m.useSuite(hello.Suite)
}

// useSuite settles the algorithms and begins the key schedule.
func (m *Machine) useSuite(suite registry.Suite) (err error) {
	m.suite = suite
	m.ticket.signedAt = m.ticket.signed(m.hello.resumed, m.now())
	if m.hash, err = primitive.NewHash(suite.Hash); err != nil {
		return err
	}
	if m.kem, err = m.newKEM(suite.Kem); err != nil {
		return err
	}
	m.earlyStage = keyschedule.NewEarly(m.hash, m.ticket.psk(m.hello.resumed))
	return nil
}

// signedPart is T_sig: the transcript up to ServerHello's signature, which is its last field.
func (m *Machine) signedPart(serverHello, signature []byte) [][]byte {
	return [][]byte{m.transport.Prologue, m.clientHello, serverHello[:len(serverHello)-2-len(signature)]}
}

// verifyServer checks the server's signature, or of a resumed session its proof (HS-6, RES-11).
func verifyServer(m *Machine) error {
	hello := m.in.value.(*wire.ServerHello)
	signed := m.signedPart(m.serverHello, hello.Signature)
	if m.hello.resumed {
		proof := keyschedule.VerifyData(m.hash, m.earlyStage.ServerProofKey(), signed...)
		if !hmac.Equal(proof, hello.Signature) {
			return alert.New(alert.DecryptError, "RES-11", "the server's proof is wrong")
		}
		return nil
	}
	if !m.peer.key.Verify(signatureInput(serverContext, m.hash.Sum(signed...)), hello.Signature) {
		return alert.New(alert.DecryptError, "HS-6", "the server's signature is wrong")
	}
	return nil
}

func signatureInput(context string, digest []byte) []byte { return append([]byte(context), digest...) }

// encapsulate encapsulates to the server's key and derives the handshake secrets over H1 (KS-3).
func encapsulate(m *Machine) error {
	hello := m.in.value.(*wire.ServerHello)
	ciphertext, secret, err := m.kem.Encapsulate(hello.KemPublicKey, m.config.Rand)
	if err != nil {
		return err
	}
	m.kemCiphertext = append(binary.BigEndian.AppendUint16(nil, uint16(len(ciphertext))), ciphertext...)
	m.handshake = m.earlyStage.Handshake(secret, m.h1()...)
	return nil
}

// h1 is H1: the transcript up to kem_ciphertext, which keeps its length octets.
func (m *Machine) h1() [][]byte {
	return [][]byte{m.transport.Prologue, m.clientHello, m.serverHello, {byte(registry.TypeClientKey)}, m.kemCiphertext}
}

// tck is T_ck: the transcript up to and with ClientKey.
func (m *Machine) tck() [][]byte {
	return [][]byte{m.transport.Prologue, m.clientHello, m.serverHello, m.clientKey}
}

// sendClientKey seals ClientAuth, and begins the client's records in generation 1 (HS-9, KS-4, REC-11).
func sendClientKey(m *Machine) error {
	auth, err := m.clientAuth()
	if err != nil {
		return err
	}
	sealed, err := m.sealAuth(auth)
	if err != nil {
		return err
	}
	ciphertext := m.kemCiphertext[2:]
	m.clientKey, err = build(registry.TypeClientKey, &wire.ClientKey{KemCiphertext: ciphertext, SealedAuth: sealed})
	if err != nil {
		return err
	}
	m.send(m.clientKey)
	m.endEarly()
	return m.beginClientKeys()
}

func (m *Machine) beginClientKeys() error {
	m.generation = m.handshake.First(m.tck()...)
	m.reader = record.NewReader(m.cipher())
	if err := m.reader.Begin(0, bytes.Clone(m.handshake.Server)); err != nil {
		return err
	}
	m.writer = record.NewWriter(m.cipher(), m.limits, m.config.Padding)
	return m.writer.Begin(1, m.generation.Client)
}

// sealAuth seals ClientAuth under the key of its own and the AAD 0x03 || kem_ciphertext (HS-9).
func (m *Machine) sealAuth(auth []byte) ([]byte, error) {
	key := keyschedule.AuthKey(m.hash, m.handshake.Client)
	defer clear(key.Key)
	aead, err := primitive.NewAEAD(m.suite.Aead, key.Key)
	if err != nil {
		return nil, err
	}
	return aead.Seal(nil, key.IV, auth, append([]byte{byte(registry.TypeClientKey)}, m.kemCiphertext...)), nil
}

// clientAuth is who this client is, signed if the server asked for a key that it has (HS-13, HS-14, POL-5). The row of
// the table has trusted and verified the server before (HS-17).
func (m *Machine) clientAuth() ([]byte, error) {
	metadata, err := m.ownMetadata()
	if err != nil {
		return nil, err
	}
	auth := wire.ClientAuth{Metadata: metadata, EarlyCount: m.early.count, VerifyData: make([]byte, m.hash.Size())}
	if key := m.config.Key; m.hello.asked && key != nil && slices.Contains(m.hello.accepts, key.Sig()) {
		if auth.Certificate, err = m.config.certificate(); err != nil {
			return nil, err
		}
		digest := m.hash.Sum(append(m.h1(), lengthened(auth.Certificate))...)
		if auth.Signature, err = key.Sign(signatureInput(clientContext, digest)); err != nil {
			return nil, err
		}
	}
	octets, err := wire.Append(nil, &auth)
	if err != nil {
		return nil, err
	}
	confirmed := octets[:len(octets)-m.hash.Size()]
	copy(octets[len(confirmed):], keyschedule.VerifyData(m.hash, m.handshake.Client, append(m.h1(), confirmed)...))
	return octets, nil
}

// lengthened is a certificate as a hash input keeps it: behind its three length octets.
func lengthened(certificate []byte) []byte {
	n := len(certificate)
	return append([]byte{byte(n >> 16), byte(n >> 8), byte(n)}, certificate...)
}

// verifyFinished checks the server's verify_data (HS-16).
func verifyFinished(m *Machine) error {
	last := m.in.value.(*wire.Finished)
	if !hmac.Equal(m.finishedVerifyData(last.Metadata), last.VerifyData) {
		return alert.New(alert.DecryptError, "HS-16", "verify_data of Finished is wrong")
	}
	return nil
}

// finishedVerifyData confirms T_ck || 0x04 || metadata under the server's handshake secret.
func (m *Machine) finishedVerifyData(metadata []byte) []byte {
	length := binary.BigEndian.AppendUint16([]byte{byte(registry.TypeFinished)}, uint16(len(metadata)))
	return keyschedule.VerifyData(m.hash, m.handshake.Server, append(m.tck(), length, metadata)...)
}
