package qzmq

import (
	"sync/atomic"

	"qzmq.test/go/internal/link"
	"qzmq.test/go/internal/session"
)

// Stats count what happened on all connections of a transport.
type Stats struct {
	HandshakesCompleted uint64
	HandshakesFailed    uint64
	Resumed             uint64 // handshakes that used a ticket
	Generations         uint64 // fresh key exchanges completed
	StepsSent           uint64 // of the sending keys (ROT-2)
	StepsReceived       uint64
	Truncated           uint64 // connections that were lost without close_notify
	AlertsSent          uint64 // connections that this side ended for a fault of its peer
	AlertsReceived      uint64
	MessagesSent        uint64
	MessagesReceived    uint64
	BytesSent           uint64 // of messages
	BytesReceived       uint64
	OctetsSent          uint64 // that were sealed: messages with their framing, subscriptions, pings (REC-12)
	OctetsReceived      uint64
	CurveAdmitted       uint64 // CURVE clients that were let in; they count nowhere else but in messages
	CurveRefused        uint64
}

// SocketMetrics count what happened on one socket.
type SocketMetrics = Stats

// plus is the sum of two counts.
func (s Stats) plus(other Stats) Stats {
	s.HandshakesCompleted += other.HandshakesCompleted
	s.HandshakesFailed += other.HandshakesFailed
	s.Resumed += other.Resumed
	s.Generations += other.Generations
	s.StepsSent += other.StepsSent
	s.StepsReceived += other.StepsReceived
	s.Truncated += other.Truncated
	s.AlertsSent += other.AlertsSent
	s.AlertsReceived += other.AlertsReceived
	s.MessagesSent += other.MessagesSent
	s.MessagesReceived += other.MessagesReceived
	s.BytesSent += other.BytesSent
	s.BytesReceived += other.BytesReceived
	s.OctetsSent += other.OctetsSent
	s.OctetsReceived += other.OctetsReceived
	s.CurveAdmitted += other.CurveAdmitted
	s.CurveRefused += other.CurveRefused
	return s
}

// of is what a link has counted itself.
func of(l *link.Link) Stats {
	counts := l.Counts()
	return Stats{
		OctetsSent: counts.Sent, OctetsReceived: counts.Received,
		StepsSent: counts.StepsSent, StepsReceived: counts.StepsReceived,
	}
}

// add counts one event of a session; established says whether its handshake was over before.
func (s *Stats) add(event session.Event, established bool) {
	switch e := event.(type) {
	case session.Established:
		s.HandshakesCompleted++
		if e.Peer.Resumed {
			s.Resumed++
		}
	case session.GenerationBegan:
		s.Generations++
	case session.Ended:
		if !established {
			s.HandshakesFailed++
		}
		switch e.Reason {
		case session.Truncated:
			s.Truncated++
		case session.Alerted:
			s.AlertsSent++
		case session.PeerAlert:
			s.AlertsReceived++
		}
	}
}

// traffic counts messages, without a lock.
type traffic struct {
	sent, received           atomic.Uint64
	bytesSent, bytesReceived atomic.Uint64
}

func (t *traffic) stats() Stats {
	return Stats{
		MessagesSent: t.sent.Load(), MessagesReceived: t.received.Load(),
		BytesSent: t.bytesSent.Load(), BytesReceived: t.bytesReceived.Load(),
	}
}

func (t *traffic) send(parts [][]byte) {
	t.sent.Add(1)
	t.bytesSent.Add(size(parts))
}

func (t *traffic) receive(parts [][]byte) {
	t.received.Add(1)
	t.bytesReceived.Add(size(parts))
}

func size(parts [][]byte) (octets uint64) {
	for _, part := range parts {
		octets += uint64(len(part))
	}
	return octets
}
