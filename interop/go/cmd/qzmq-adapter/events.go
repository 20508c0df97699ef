package main

import (
	"strings"

	qzmq "qzmq.test/go"
)

// observer notes what becomes of a socket's connections.
func (a *adapter) observer(number int) func(qzmq.Socket, qzmq.Event) {
	return func(_ qzmq.Socket, event qzmq.Event) {
		if event.Kind == qzmq.EventUndetermined {
			return // the protocol has no word for it
		}
		happened := describe(event)
		happened["socket"] = number
		a.mu.Lock()
		defer a.mu.Unlock()
		a.happened = append(a.happened, happened)
	}
}

func describe(event qzmq.Event) answer {
	switch event.Kind {
	case qzmq.EventEstablished:
		mode, _ := event.Peer.Suite.Mode()
		return answer{
			"event": "established", "suite": strings.ToLower(event.Peer.Suite.String()), "mode": mode.String(),
			"peer": event.Peer.PublicKey, "resumed": event.Peer.Resumed,
		}
	case qzmq.EventAlert:
		happened := answer{"event": "alert", "direction": "received", "alert": strings.TrimPrefix(event.Alert, "alert ")}
		if event.Sent {
			happened["direction"] = "sent"
		}
		if event.Requirement != "" {
			happened["requirement"] = event.Requirement
		}
		return happened
	case qzmq.EventTruncated:
		return answer{"event": "ended", "reason": "truncated"}
	}
	return answer{"event": "ended", "reason": "closed"}
}

// events tells what has happened since the last time.
func (a *adapter) events() answer {
	a.mu.Lock()
	happened := a.happened
	a.happened = nil
	a.mu.Unlock()
	given := []answer{}
	for _, event := range happened {
		if _, open := a.sockets[event["socket"].(int)]; open {
			given = append(given, event)
		}
	}
	return answer{"events": given, "counters": a.counters()}
}

func (a *adapter) counters() []answer {
	given := []answer{}
	for _, number := range a.numbers() {
		o := a.sockets[number]
		now := *o.socket.GetMetrics()
		given = append(given, answer{
			"socket":      number,
			"octets_sent": now.OctetsSent - o.before.OctetsSent, "octets_received": now.OctetsReceived - o.before.OctetsReceived,
			"steps_sent": now.StepsSent - o.before.StepsSent, "steps_received": now.StepsReceived - o.before.StepsReceived,
			"generations": now.Generations - o.before.Generations,
		})
		o.before = now
	}
	return given
}
