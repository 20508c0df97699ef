package qzmq

import (
	"qzmq.test/go/internal/link"
	"qzmq.test/go/internal/session"
)

// EventKind says what happened to a connection.
type EventKind int

// The kinds of Event.
const (
	EventEstablished  EventKind = iota // a handshake succeeded: Peer
	EventAlert                         // an alert ended it: Sent, Alert, Requirement
	EventClosed                        // it was closed in order, or given up
	EventTruncated                     // it was lost without a word
	EventUndetermined                  // early data may have arrived or not, and is not sent again (RES-18)
)

// Event is what became of a connection.
type Event struct {
	Kind        EventKind
	Peer        Peer
	Sent        bool   // whether this side sent the alert
	Alert       string // its description
	Requirement string // of an alert that was sent: the rule that the peer broke, such as HS-12
}

// eventOf is the Event of a session's, if it is one.
func eventOf(l *link.Link, event session.Event) (Event, bool) {
	switch e := event.(type) {
	case session.Established:
		return Event{Kind: EventEstablished, Peer: peerOf(l, e.Peer)}, true
	case session.EarlyAnswered:
		return Event{Kind: EventUndetermined}, e.Status == session.EarlyUnknown
	case session.Ended:
		switch e.Reason {
		case session.Closed:
			return Event{Kind: EventClosed}, true
		case session.Truncated:
			return Event{Kind: EventTruncated}, true
		}
		happened := Event{Kind: EventAlert, Sent: e.Reason == session.Alerted}
		if e.Alert != nil {
			happened.Alert, happened.Requirement = e.Alert.Description.String(), e.Alert.Requirement
		}
		return happened, true
	}
	return Event{}, false
}
