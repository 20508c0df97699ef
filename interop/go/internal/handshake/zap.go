package handshake

import (
	"slices"

	"qzmq.test/go/internal/alert"
	"qzmq.test/go/internal/wire"
)

// decideZap settles for this ClientHello whether ZAP is asked, and refuses it where a handler is demanded and missing
// (ZAP-1).
func (m *Machine) decideZap() (err error) {
	if m.config.AsksZap == nil {
		return nil
	}
	if m.hello.zap, err = m.config.AsksZap(); err != nil {
		return alert.New(alert.UserCanceled, "ZAP-1", "%v", err)
	}
	return nil
}

// askZap asks ZAP about the client (ZAP-3, ZAP-4).
func askZap(m *Machine) error {
	identity, _ := find(m.peer.properties, identityName)
	question := Question{Address: m.transport.PeerAddress, Identity: identity}
	if m.peer.read != nil {
		question.Credentials = m.peer.key.SPKI()
	}
	m.emit(question)
	return nil
}

// Answer takes ZAP's verdict on the question that was asked; without one it does nothing.
func (m *Machine) Answer(verdict Verdict) {
	if m.state != WaitAuthorization {
		return
	}
	m.verdict = verdict
	if verdict.Status == 200 && verdict.check() == nil {
		m.Local(Admitted)
		return
	}
	m.Local(Refused)
}

// check tells whether a reply is one of RFC 27: metadata by PAT-3 and PAT-4, together with the user id (ZAP-11).
func (v Verdict) check() error {
	all := append(slices.Clone(v.Metadata), Property{Name: []byte("User-Id"), Value: []byte(v.UserID)})
	octets, err := wire.Append(nil, &wire.Metadata{Properties: all})
	if err != nil {
		return err
	}
	_, err = ParseMetadata(octets)
	return err
}

// admit takes the user id and the properties that ZAP gives the client (ZAP-5, ZAP-6).
func admit(m *Machine) error {
	m.peer.userID = m.verdict.UserID
	for _, p := range m.verdict.Metadata {
		if name := string(p.Name); !reserved(name) && !known(name) {
			m.peer.added = append(m.peer.added, p)
		}
	}
	return nil
}

// refuse ends the session with the alert of ZAP's status (ZAP-7 to ZAP-9, ZAP-11).
func refuse(m *Machine) error {
	reason := alert.New(alert.UserCanceled, "ZAP-11", "the reply of ZAP is not one of RFC 27")
	if m.verdict.check() == nil {
		switch m.verdict.Status {
		case 300:
			reason = alert.New(alert.UserCanceled, "ZAP-7", "ZAP: not now")
		case 400:
			reason = alert.New(alert.AccessDenied, "ZAP-8", "ZAP refused the client")
		case 500:
			reason = alert.New(alert.InternalError, "ZAP-9", "the ZAP handler failed")
		}
	}
	m.description = reason.Description
	m.emit(Ended{Reason: Alerted, Alert: reason})
	return nil
}
