package handshake

import (
	"errors"
	"slices"

	"qzmq.test/go/internal/alert"
	"qzmq.test/go/internal/record"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/wire"
)

// build gives a plain message: type octet and structure.
func build(t registry.MessageType, s wire.Structure) ([]byte, error) {
	return wire.Append([]byte{byte(t)}, s)
}

// send frames a message for the wire.
func (m *Machine) send(message []byte) {
	m.out = append(m.transport.AppendHeader(m.out, len(message)), message...)
}

// sendSealed seals a control message.
func (m *Machine) sendSealed(t registry.MessageType, plaintext []byte) error {
	m.out = slices.Grow(m.out, len(plaintext)+record.Overhead)
	framed := m.transport.AppendHeader(m.out, len(plaintext)+record.Overhead)
	out, err := m.writer.AppendControl(framed, t, plaintext, m.now())
	if err == nil {
		m.out = out
	}
	return err
}

// sendEmptyData begins a generation where there is nothing to say (ROT-14).
func sendEmptyData(m *Machine) error {
	framed := m.transport.AppendHeader(m.out, m.writer.PlaintextSize(0)+record.Overhead)
	out, err := m.writer.AppendData(framed, nil, m.now())
	if err == nil {
		m.out = out
	}
	return err
}

// sendAlert sends the prepared alert in the clear (ALR-1).
func sendAlert(m *Machine) error {
	m.send([]byte{byte(registry.TypeAlert), byte(m.description)})
	return nil
}

// sendSealedAlert sends the prepared alert as a record, whatever the key's limits say (ALR-2).
func sendSealedAlert(m *Machine) error {
	body := []byte{byte(m.description)}
	err := m.sendSealed(registry.TypeSealedAlert, body)
	if !errors.Is(err, record.ErrExhausted) {
		return err
	}
	framed := m.transport.AppendHeader(m.out, len(body)+record.Overhead)
	if out, last := m.writer.AppendLast(framed, registry.TypeSealedAlert, body); last == nil {
		m.out = out
	}
	return nil
}

// sendPrepared sends the prepared alert as ALR-1 and ALR-2 demand: sealed as soon as there is a sending key.
func (m *Machine) sendPrepared() error {
	if m.writer == nil {
		return sendAlert(m)
	}
	return sendSealedAlert(m)
}

// endByAlert reports the peer's alert; nothing is answered (ALR-4).
func endByAlert(m *Machine) error {
	description := alert.Description(m.in.value.(*wire.AlertBody).Description)
	sealed := m.in.epoch != plain
	m.emit(Ended{
		Reason:        PeerAlert,
		Alert:         alert.New(description, "", "the peer sent %s", description),
		Authenticated: sealed,
		Final:         sealed && m.state == WaitFinished && !provocable(description),
	})
	return nil
}

// provocable lists the alerts that somebody on the way can provoke: a client may connect again after them (ALR-6).
func provocable(d alert.Description) bool {
	switch d {
	case alert.DecryptError, alert.IllegalParameter, alert.UnexpectedMessage, alert.UserCanceled:
		return true
	}
	return false
}

// isCloseNotify tells whether the peer closes in order.
func isCloseNotify(m *Machine) bool {
	return alert.Description(m.in.value.(*wire.AlertBody).Description) == alert.CloseNotify
}

// endByClose: the peer closed, or answered this side's close (CLS-2, CLS-3). While this side was closing, any other
// alert ends the session as well: nothing more is to come.
func endByClose(m *Machine) error {
	m.emit(Ended{Reason: Closed, Authenticated: true})
	return nil
}

// notifyClose prepares this side's close_notify (CLS-1).
func notifyClose(m *Machine) error {
	m.description = alert.CloseNotify
	return nil
}

// cancel ends an unfinished handshake (CLS-5).
func cancel(m *Machine) error {
	m.description = alert.UserCanceled
	m.emit(Ended{Reason: Closed})
	return nil
}

// EndOfFile tells that the peer's stream has ended (CLS-3, CLS-4).
func (m *Machine) EndOfFile() {
	switch m.state {
	case Over:
	case Closing:
		m.end(Ended{Reason: Closed})
	default:
		m.end(Ended{Reason: Truncated})
	}
}

// closeExhausted closes a session whose keys are used up, with close_notify as its last record (ROT-6).
func (m *Machine) closeExhausted() {
	if m.state != Open {
		m.end(Ended{Reason: Closed})
		return
	}
	m.Local(Close)
}
