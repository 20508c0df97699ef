package tickets_test

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"qzmq.test/go/internal/session"
	"qzmq.test/go/internal/tickets"
)

type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time { return time.Unix(c.at.Load(), 0) }

func TestStore(t *testing.T) {
	var c clock
	store := tickets.NewStore(c.now)
	one, two := new(session.SessionID), new(session.SessionID)
	store.Put(one, []byte("a"), &session.Issued{Expires: time.Unix(10, 0)})
	store.Put(two, []byte("b"), &session.Issued{Expires: time.Unix(20, 0)})
	if store.Find([]byte("a")) == nil || store.Find([]byte("c")) != nil {
		t.Error("found what is not there, or not what is")
	}
	c.at.Store(10)
	if store.Find([]byte("a")) != nil || store.Find([]byte("b")) == nil {
		t.Error("a ticket's time is over exactly when it expires")
	}
	store.Discard(two)
	if store.Find([]byte("b")) != nil {
		t.Error("a discarded ticket is found")
	}
}

func TestStoreGivesATicketToOne(t *testing.T) {
	var c clock
	store := tickets.NewStore(c.now)
	store.Put(new(session.SessionID), []byte("a"), &session.Issued{Expires: time.Unix(10, 0)})
	var taken atomic.Int32
	var group sync.WaitGroup
	for range 8 {
		group.Add(1)
		go func() {
			defer group.Done()
			if store.Take([]byte("a")) {
				taken.Add(1)
			}
		}()
	}
	group.Wait()
	if taken.Load() != 1 {
		t.Errorf("%d took it", taken.Load())
	}
}

func TestStoreIsBounded(t *testing.T) {
	var c clock
	store := tickets.NewStore(c.now)
	name := func(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }
	const more = 20000
	for n := range more {
		store.Put(new(session.SessionID), name(n), &session.Issued{Expires: time.Unix(10, 0)})
	}
	if store.Find(name(0)) != nil || store.Find(name(more-1)) == nil {
		t.Error("not the oldest went")
	}
}

func TestCache(t *testing.T) {
	var c clock
	cache := tickets.NewCache(c.now)
	one, two := new(session.SessionID), new(session.SessionID)
	put := func(id *session.SessionID, expires int64, name string) {
		cache.Put(id, &session.Ticket{Identity: []byte(name), Expires: time.Unix(expires, 0)})
	}
	put(one, 10, "a")
	put(two, 20, "b")
	put(one, 5, "c")
	cache.Discard(two)
	c.at.Store(5)
	if ticket := cache.Take(); ticket == nil || string(ticket.Identity) != "a" {
		t.Error(ticket)
	}
	if cache.Take() != nil {
		t.Error("the same again")
	}
}
