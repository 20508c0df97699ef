package handshake

import (
	"bytes"
	"crypto/hmac"
	"slices"

	"qzmq.test/go/internal/alert"
	"qzmq.test/go/internal/keyschedule"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/record"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/wire"
)

// checkClientHello checks version and extensions (HS-2, REG-7, REG-8, REG-10), and keeps the message for the transcript.
func checkClientHello(m *Machine) error {
	hello := m.in.value.(*wire.ClientHello)
	if hello.Version != registry.Version {
		return alert.New(alert.ProtocolVersion, "HS-2", "version %d", hello.Version)
	}
	found, err := readExtensions(registry.TypeClientHello, hello.Extensions)
	if err != nil {
		return err
	}
	switch {
	case found.psk != nil && !found.pskLast:
		return alert.New(alert.IllegalParameter, "RES-8", "pre_shared_key is not last")
	case found.early && found.psk == nil:
		return alert.New(alert.IllegalParameter, "RES-19", "early_data without pre_shared_key")
	}
	m.hello.found = found
	m.clientHello = m.in.message
	return nil
}

// selectSuite chooses the first suite of the policy that the client offered and the key can sign (HS-3).
func selectSuite(m *Machine) error {
	if m.hello.resumed {
		return nil
	}
	hello := m.in.value.(*wire.ClientHello)
	suite, found := m.config.Policy.Choose(hello.Suites, m.config.Key.Sig())
	if !found {
		return alert.New(alert.HandshakeFailure, "HS-3", "none of the client's suites is in the policy")
	}
	return m.useSuite(suite)
}

// generateKemKey makes the key pair of this handshake (HS-7).
func generateKemKey(m *Machine) (err error) {
	m.kemKey, err = m.kem.GenerateKey(m.config.Rand)
	return err
}

// asksCertificate tells whether this server wants to know its clients (POL-4, ZAP-2).
func (m *Machine) asksCertificate() bool { return m.config.knownClientsOnly() || m.hello.zap }

// sendServerHello signs the choice, or proves that it knows the ticket (HS-6, HS-8, RES-10, RES-11).
func sendServerHello(m *Machine) error {
	random, err := m.draw(wire.RandomSize + 1)
	if err != nil {
		return err
	}
	hello := wire.ServerHello{
		Version:      registry.Version,
		Random:       random[:wire.RandomSize],
		Suite:        m.suite,
		KemPublicKey: m.kemKey.PublicKey(),
	}
	if !m.hello.resumed {
		if hello.Certificate, err = m.config.certificate(); err != nil {
			return err
		}
	}
	if hello.Extensions, err = m.serverExtensions(byte(registry.Grease(random[wire.RandomSize]))); err != nil {
		return err
	}
	unsigned, err := build(registry.TypeServerHello, &hello)
	if err != nil {
		return err
	}
	if hello.Signature, err = m.proveServer(m.signedPart(unsigned, nil)); err != nil {
		return err
	}
	if m.serverHello, err = build(registry.TypeServerHello, &hello); err != nil {
		return err
	}
	m.send(m.serverHello)
	return nil
}

// serverExtensions asks for the client's certificate, or says that the ticket holds, and answers early data.
func (m *Machine) serverExtensions(grease byte) ([]wire.Extension, error) {
	var list []wire.Extension
	add := func(t registry.ExtensionType, s wire.Structure) error {
		body, err := wire.Append(nil, s)
		list = append(list, wire.Extension{ExtensionType: t, ExtensionData: body})
		return err
	}
	if m.hello.resumed {
		if err := add(registry.PreSharedKey, new(wire.Empty)); err != nil {
			return nil, err
		}
	}
	if m.early.announced {
		if err := add(registry.EarlyData, &wire.EarlyDataAnswer{Status: m.early.status}); err != nil {
			return nil, err
		}
	}
	if !m.hello.resumed && m.asksCertificate() {
		m.hello.asked, m.hello.accepts = true, m.config.Policy.Signatures()
		request := wire.ClientAuthRequest{Algorithms: append(slices.Clone(m.hello.accepts), registry.SigId(grease))}
		if err := add(registry.ClientAuthRequest, &request); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (m *Machine) proveServer(signed [][]byte) ([]byte, error) {
	if m.hello.resumed {
		return keyschedule.VerifyData(m.hash, m.earlyStage.ServerProofKey(), signed...), nil
	}
	return m.config.Key.Sign(signatureInput(serverContext, m.hash.Sum(signed...)))
}

// decapsulate derives the handshake secrets over H1 (KS-3). From here on this side has a sending key (ALR-1).
func decapsulate(m *Machine) error {
	key := m.in.value.(*wire.ClientKey)
	secret, err := m.kemKey.Decapsulate(key.KemCiphertext)
	if err != nil {
		return err
	}
	m.clientKey = m.in.message
	m.kemCiphertext = m.clientKey[1 : 3+len(key.KemCiphertext)]
	m.handshake = m.earlyStage.Handshake(secret, m.h1()...)
	m.endEarly()
	m.writer = record.NewWriter(m.cipher(), m.limits, m.config.Padding)
	return m.writer.Begin(0, bytes.Clone(m.handshake.Server))
}

// openClientAuth opens sealed_auth (HS-9); what it holds replaces the message as the one at hand.
func openClientAuth(m *Machine) error {
	key := keyschedule.AuthKey(m.hash, m.handshake.Client)
	defer clear(key.Key)
	aead, err := primitive.NewAEAD(m.suite.Aead, key.Key)
	if err != nil {
		return err
	}
	sealed := m.in.value.(*wire.ClientKey).SealedAuth
	octets, err := aead.Open(nil, key.IV, sealed, m.clientKey[:1+len(m.kemCiphertext)])
	if err != nil {
		return alert.New(alert.DecryptError, "HS-9", "sealed_auth does not open")
	}
	auth := new(wire.ClientAuth)
	if err := wire.ParseHashed(octets, m.hash.Size(), auth); err != nil {
		return err
	}
	m.in.message, m.in.value = octets, auth
	return nil
}

// verifyClient checks who the client says it is (HS-10 to HS-15).
func verifyClient(m *Machine) error {
	auth := m.in.value.(*wire.ClientAuth)
	switch {
	case !m.hello.asked && len(auth.Certificate) > 0:
		return alert.New(alert.IllegalParameter, "HS-10", "a certificate that was not asked for")
	case len(auth.Certificate) == 0 != (len(auth.Signature) == 0):
		return alert.New(alert.IllegalParameter, "HS-11", "a certificate without a signature, or the reverse")
	case len(auth.Certificate) == 0 && m.hello.asked && m.config.knownClientsOnly():
		return alert.New(alert.CertificateRequired, "HS-12", "only known clients are admitted")
	}
	if len(auth.Certificate) > 0 {
		if err := m.verifyClientSignature(auth); err != nil {
			return err
		}
	}
	confirmed := m.in.message[:len(m.in.message)-m.hash.Size()]
	verifyData := keyschedule.VerifyData(m.hash, m.handshake.Client, append(m.h1(), confirmed)...)
	if !hmac.Equal(verifyData, auth.VerifyData) {
		return alert.New(alert.DecryptError, "HS-14", "verify_data of ClientAuth is wrong")
	}
	if auth.EarlyCount != m.early.count {
		return alert.New(alert.IllegalParameter, "HS-15", "early_count is %d, %d came", auth.EarlyCount, m.early.count)
	}
	return nil
}

func (m *Machine) verifyClientSignature(auth *wire.ClientAuth) error {
	if err := m.readCertificate(auth.Certificate, m.hello.accepts...); err != nil {
		return err
	}
	digest := m.hash.Sum(append(m.h1(), lengthened(auth.Certificate))...)
	if !m.peer.key.Verify(signatureInput(clientContext, digest), auth.Signature) {
		return alert.New(alert.DecryptError, "HS-13", "the client's signature is wrong")
	}
	return nil
}

// trustClient judges the client's key (CERT-4, CERT-8 to CERT-15); of a resumed session that was done before the ticket
// was taken (RES-6).
func trustClient(m *Machine) error {
	if m.hello.resumed || m.peer.read == nil {
		return nil
	}
	return m.judge()
}

// sendFinished confirms the handshake as generation 0, record 0, and begins generation 1 (HS-16, KS-4, REC-11).
func sendFinished(m *Machine) error {
	metadata, err := m.ownMetadata()
	if err != nil {
		return err
	}
	last := wire.Finished{Metadata: metadata, VerifyData: m.finishedVerifyData(metadata)}
	plaintext, err := wire.Append(nil, &last)
	if err != nil {
		return err
	}
	if err := m.sendSealed(registry.TypeFinished, plaintext); err != nil {
		return err
	}
	m.generation = m.handshake.First(m.tck()...)
	return m.writer.Begin(1, m.generation.Server)
}
