package qzmq

import (
	"sync/atomic"

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
	BytesSent           uint64
	BytesReceived       uint64
}

// SocketMetrics count what happened on one socket.
type SocketMetrics = Stats

type counters struct {
	completed, failed, resumed, generations, truncated  atomic.Uint64
	sentAlerts, receivedAlerts                          atomic.Uint64
	messagesSent, messagesReceived, sent, receivedBytes atomic.Uint64
}

func (c *counters) stats() Stats {
	return Stats{
		HandshakesCompleted: c.completed.Load(), HandshakesFailed: c.failed.Load(), Resumed: c.resumed.Load(),
		Generations: c.generations.Load(), Truncated: c.truncated.Load(),
		AlertsSent: c.sentAlerts.Load(), AlertsReceived: c.receivedAlerts.Load(),
		MessagesSent: c.messagesSent.Load(), MessagesReceived: c.messagesReceived.Load(),
		BytesSent: c.sent.Load(), BytesReceived: c.receivedBytes.Load(),
	}
}

// event counts one event of a session; established says whether its handshake was over before.
func (c *counters) event(event session.Event, established bool) {
	switch e := event.(type) {
	case session.Established:
		c.completed.Add(1)
		if e.Peer.Resumed {
			c.resumed.Add(1)
		}
	case session.GenerationBegan:
		c.generations.Add(1)
	case session.Ended:
		if !established {
			c.failed.Add(1)
		}
		switch e.Reason {
		case session.Truncated:
			c.truncated.Add(1)
		case session.Alerted:
			c.sentAlerts.Add(1)
		case session.PeerAlert:
			c.receivedAlerts.Add(1)
		}
	}
}

func (c *counters) sentMessage(parts [][]byte) {
	c.messagesSent.Add(1)
	c.sent.Add(size(parts))
}

func (c *counters) receivedMessage(parts [][]byte) {
	c.messagesReceived.Add(1)
	c.receivedBytes.Add(size(parts))
}

func size(parts [][]byte) (octets uint64) {
	for _, part := range parts {
		octets += uint64(len(part))
	}
	return octets
}
