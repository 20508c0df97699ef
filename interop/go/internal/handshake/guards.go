package handshake

// The guards of the table, but for isCloseNotify.

// puzzleIsDue: the policy is always, or under_load and the listener is (HS-64).
func puzzleIsDue(m *Machine) bool {
	switch m.config.Retry {
	case RetryAlways:
		return true
	case RetryUnderLoad:
		return m.config.Loaded != nil && m.config.Loaded()
	}
	return false
}

// asksZap: ZAP is to be asked about this client (ZAP-1), as was decided at its ClientHello.
func asksZap(m *Machine) bool { return m.hello.zap }

// earlyIsAccepted: the early data of this ClientHello is accepted.
func earlyIsAccepted(m *Machine) bool { return m.early.status == EarlyAccepted }

// earlyWasAnnounced: ClientHello announced early data.
func earlyWasAnnounced(m *Machine) bool { return m.early.announced }

// offerIsOpen: this client's offer has no ack yet.
func offerIsOpen(m *Machine) bool { return m.rotation.offer != nil }

// mayRekey: no offer or request of this side is open, and the generation is not the last (ROT-9, ROT-11, ROT-16).
func mayRekey(m *Machine) bool {
	return m.rotation.offer == nil && !m.rotation.requested && !m.reader.Awaits() && m.writer.Generation() < lastGeneration
}
