// Package tickets keeps the tickets of resumption in memory (spec/resumption.md): what a server issued, what a client
// holds. Both are bounded; what is lost costs a full handshake, no more.
package tickets

import (
	"sync"
	"time"

	"qzmq.test/go/internal/session"
)

// How many tickets a store and a cache keep; beyond that the oldest go.
const (
	storeCapacity = 16384
	cacheCapacity = 8
)

// Store is a server's session.TicketStore.
type Store struct {
	now func() time.Time

	mu      sync.Mutex
	tickets map[string]entry
	order   []string // identities in the order of issue; some may be gone
}

type entry struct {
	session *session.SessionID
	issued  *session.Issued
}

// NewStore makes an empty store that tells the time by now.
func NewStore(now func() time.Time) *Store {
	return &Store{now: now, tickets: make(map[string]entry)}
}

// Find gives a ticket without taking it, nil if there is none of that identity or its time is over.
func (s *Store) Find(identity []byte) *session.Issued {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.tickets[string(identity)].issued
	if found == nil || !s.now().Before(found.Expires) {
		return nil
	}
	return found
}

// Take removes a ticket; true for one caller only (RES-4).
func (s *Store) Take(identity []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, found := s.tickets[string(identity)]
	delete(s.tickets, string(identity))
	return found
}

// Put keeps a ticket.
func (s *Store) Put(id *session.SessionID, identity []byte, issued *session.Issued) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.order) >= storeCapacity {
		delete(s.tickets, s.order[0])
		s.order = s.order[1:]
	}
	s.tickets[string(identity)] = entry{id, issued}
	s.order = append(s.order, string(identity))
}

// Discard forgets the tickets of a session (RES-3).
func (s *Store) Discard(id *session.SessionID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.order[:0]
	for _, identity := range s.order {
		if e, found := s.tickets[identity]; found && e.session != id {
			kept = append(kept, identity)
			continue
		}
		delete(s.tickets, identity)
	}
	s.order = kept
}

// Cache is a client's session.TicketCache for one server.
type Cache struct {
	now func() time.Time

	mu   sync.Mutex
	held []holding
}

type holding struct {
	session *session.SessionID
	ticket  *session.Ticket
}

// NewCache makes an empty cache that tells the time by now.
func NewCache(now func() time.Time) *Cache { return &Cache{now: now} }

// Take removes and gives the newest ticket whose time is not over, nil if there is none.
func (c *Cache) Take() *session.Ticket {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.held) > 0 {
		newest := c.held[len(c.held)-1].ticket
		c.held = c.held[:len(c.held)-1]
		if c.now().Before(newest.Expires) {
			return newest
		}
	}
	return nil
}

// Put keeps a ticket.
func (c *Cache) Put(id *session.SessionID, ticket *session.Ticket) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.held) >= cacheCapacity {
		c.held = c.held[1:]
	}
	c.held = append(c.held, holding{id, ticket})
}

// Discard forgets the tickets of a session (RES-3).
func (c *Cache) Discard(id *session.SessionID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := c.held[:0]
	for _, h := range c.held {
		if h.session != id {
			kept = append(kept, h)
		}
	}
	c.held = kept
}
