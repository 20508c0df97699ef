package session

import (
	"sync"
	"time"
)

// Bounds of the stores below: the oldest ticket goes first.
const (
	maxIssued = 1 << 16
	maxHeld   = 4
)

// Tickets is a server's TicketStore in memory, for all connections of one bound endpoint (RES-4).
type Tickets struct {
	mu        sync.Mutex
	issued    map[string]entry
	bySession map[*SessionID]map[string]struct{}
	order     []string // identities as they came; some may be gone
	now       func() time.Time
}

type entry struct {
	session *SessionID
	ticket  *Issued
}

// NewTickets makes an empty store.
func NewTickets(now func() time.Time) *Tickets {
	return &Tickets{issued: map[string]entry{}, bySession: map[*SessionID]map[string]struct{}{}, now: now}
}

// Find gives the ticket of that identity, nil if there is none or it has expired.
func (s *Tickets) Find(identity []byte) *Issued {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, there := s.issued[string(identity)]
	if !there || !s.now().Before(found.ticket.Expires) {
		return nil
	}
	return found.ticket
}

// Take removes the ticket of that identity: true for one caller only (RES-4).
func (s *Tickets) Take(identity []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.remove(string(identity))
}

// Put keeps a ticket of a session.
func (s *Tickets) Put(session *SessionID, identity []byte, issued *Issued) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := string(identity)
	s.issued[name] = entry{session, issued}
	if s.bySession[session] == nil {
		s.bySession[session] = map[string]struct{}{}
	}
	s.bySession[session][name] = struct{}{}
	s.order = append(s.order, name)
	s.makeRoom()
}

// makeRoom lets the oldest tickets go, and with them those that have expired.
func (s *Tickets) makeRoom() {
	for len(s.order) > 0 {
		oldest, there := s.issued[s.order[0]]
		if there && len(s.issued) <= maxIssued && s.now().Before(oldest.ticket.Expires) {
			return
		}
		s.remove(s.order[0])
		s.order = s.order[1:]
	}
}

// Discard forgets the tickets of a session (RES-3).
func (s *Tickets) Discard(session *SessionID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range s.bySession[session] {
		s.remove(name)
	}
}

func (s *Tickets) remove(name string) bool {
	found, there := s.issued[name]
	if !there {
		return false
	}
	delete(s.issued, name)
	names := s.bySession[found.session]
	delete(names, name)
	if len(names) == 0 {
		delete(s.bySession, found.session)
	}
	return true
}

// Cache is a client's TicketCache in memory, for one server. The youngest ticket is offered first.
type Cache struct {
	mu   sync.Mutex
	held []heldTicket
}

type heldTicket struct {
	session *SessionID
	ticket  *Ticket
}

// Take removes the youngest ticket and gives it, nil if there is none.
func (c *Cache) Take() *Ticket {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := len(c.held) - 1
	if last < 0 {
		return nil
	}
	taken := c.held[last].ticket
	c.held = c.held[:last]
	return taken
}

// Put keeps a ticket of a session.
func (c *Cache) Put(session *SessionID, t *Ticket) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = append(c.held, heldTicket{session, t})
	if len(c.held) > maxHeld {
		c.held = c.held[1:]
	}
}

// Discard forgets the tickets of a session (RES-3).
func (c *Cache) Discard(session *SessionID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := c.held[:0]
	for _, h := range c.held {
		if h.session != session {
			kept = append(kept, h)
		}
	}
	c.held = kept
}
