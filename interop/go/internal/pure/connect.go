package pure

import (
	"context"
	"time"

	"qzmq.test/go/internal/bridge"
	"qzmq.test/go/internal/link"
	"qzmq.test/go/internal/network"
	"qzmq.test/go/internal/session"
)

// Connect connects the socket to the endpoint, and again after each loss, until the peer refuses it for good.
func (s *Socket) Connect(to network.Endpoint, options bridge.Options) error {
	dial, err := s.dialer()
	if err != nil {
		return err
	}
	s.change(func() {
		if s.connects == 0 {
			s.refused = make(chan time.Time)
		}
		s.connects++
	})
	go func() {
		defer s.disconnect()
		for s.context.Err() == nil {
			err := s.reach(to, options, dial)
			if end, over := link.IsEnd(err); err != nil && (!over || end.Final) {
				return
			}
		}
	}()
	return nil
}

// dialer gives the library a connection as if it had dialled it.
func (s *Socket) dialer() (dial func(*inner) error, err error) {
	library, err := s.library()
	if err != nil {
		return nil, err
	}
	exchange, err := links()
	return func(conn *inner) error {
		s.joining.Lock()
		defer s.joining.Unlock()
		return library.Dial(exchange.offer(conn))
	}, err
}

// disconnect counts an endpoint less, to which no connection will come again.
func (s *Socket) disconnect() {
	s.change(func() {
		if s.connects--; s.connects == 0 {
			close(s.refused)
		}
	})
}

// reach serves one session. A client with a ticket for early data lets the library write before the peer is there
// (RES-14); then too the error says why it was not reached.
func (s *Socket) reach(to network.Endpoint, options bridge.Options, dial func(*inner) error) error {
	wanted, cancel := context.WithCancel(context.Background())
	defer cancel()
	keep := context.AfterFunc(s.context, cancel)
	defer keep()
	var conn *inner
	given := make(chan struct{})
	give := func(l *link.Link, peer session.Peer) {
		conn = s.begin(l)
		go func() { defer close(given); s.give(conn, peer.Metadata, dial) }()
	}
	l, peer, err := bridge.Reach(wanted, to, options, nil, func(l *link.Link, remembered session.Peer) {
		keep() // what is said early is to arrive, also from a socket that closes
		give(l, remembered)
	})
	if conn == nil && err == nil {
		give(l, peer)
	}
	if conn == nil {
		return err
	}
	conn.arrive(peer.Metadata, err)
	<-given
	s.follow(conn)
	bridge.Pause(s.context, options.ReconnectInterval)
	return err
}

// begin counts a connection among the socket's.
func (s *Socket) begin(l carrier) *inner {
	conn := newInner(s, l)
	s.change(func() { s.links[conn] = struct{}{} })
	return conn
}

// serve carries a connection that is established, to its end.
func (s *Socket) serve(l carrier, peer []session.Property, give func(*inner) error) {
	conn := s.begin(l)
	conn.arrive(peer, nil)
	s.give(conn, peer, give)
	s.follow(conn)
}

// give gives a connection to the library, and notes when messages can be sent on it.
func (s *Socket) give(conn *inner, peer []session.Property, give func(*inner) error) {
	if err := s.introduce(conn, peer); err != nil || give(conn) != nil {
		_ = conn.Close()
		return
	}
	select {
	case <-conn.ready:
		s.change(func() { s.live[conn] = struct{}{} })
	case <-conn.link.Ending():
	case <-s.context.Done():
	}
	if s.context.Err() != nil {
		_ = conn.Close() // the library may have closed before it had the connection
	}
}

// follow waits for the end of a connection, and counts it no more.
func (s *Socket) follow(conn *inner) {
	<-conn.link.Ending()
	s.change(func() { delete(s.live, conn) })
	<-conn.link.Over()
	s.change(func() {
		delete(s.links, conn)
		if s.routes[conn.identity] == conn {
			delete(s.routes, conn.identity)
		}
	})
	if s.topics != nil {
		s.topics.forget(conn)
	}
}
