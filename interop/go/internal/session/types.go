package session

import (
	"qzmq.test/go/internal/handshake"
)

// The words of a session, which internal/handshake defines: see there what each field means.
type (
	Config   = handshake.Config
	Role     = handshake.Role
	Pin      = handshake.Pin
	Property = handshake.Property
	Peer     = handshake.Peer

	Ticket      = handshake.Ticket
	TicketCache = handshake.TicketCache
	Issued      = handshake.Issued
	TicketStore = handshake.TicketStore
	SessionID   = handshake.SessionID

	Event           = handshake.Event
	Established     = handshake.Established
	Received        = handshake.Received
	EarlyReceived   = handshake.EarlyReceived
	EarlyAnswered   = handshake.EarlyAnswered
	EarlyStatus     = handshake.EarlyStatus
	NewTicket       = handshake.NewTicket
	GenerationBegan = handshake.GenerationBegan
	Question        = handshake.Question
	Verdict         = handshake.Verdict
	Ended           = handshake.Ended
	Reason          = handshake.Reason
)

// The roles and the reasons of Ended.
const (
	Client = handshake.Client
	Server = handshake.Server

	EarlyAccepted = handshake.EarlyAccepted
	EarlyRejected = handshake.EarlyRejected
	EarlyUnknown  = handshake.EarlyUnknown

	Closed    = handshake.Closed
	Truncated = handshake.Truncated
	Alerted   = handshake.Alerted
	PeerAlert = handshake.PeerAlert
)
