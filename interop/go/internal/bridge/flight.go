package bridge

import (
	"qzmq.test/go/internal/link"
	"qzmq.test/go/internal/session"
)

// flight is one connection of the application's socket while octets go both ways. What the socket says may leave before
// the peer is there, as early data.
type flight struct {
	hop  *Hop
	conn *private
	from *reader
	over chan struct{} // closed when the socket has said everything; nil before it may speak
}

// begin tells the socket who its peer is, and carries what it says from now on.
func (f *flight) begin(l *link.Link, peer session.Peer) {
	if _, err := f.conn.Write(ready(peer)); err != nil {
		_ = f.conn.CloseWrite()
	}
	f.depart(l)
}

// depart carries what the socket says.
func (f *flight) depart(l *link.Link) {
	f.over = make(chan struct{})
	go func() {
		defer close(f.over)
		f.hop.outward(l, f.from)
	}()
}

// land carries what the peer says, until both sides have ended. The socket's connection is only half-closed at first:
// libzmq drops what it has not read yet when its peer closes.
func (f *flight) land(l *link.Link) {
	inward(l, f.conn)
	<-f.over
	_ = f.conn.Close()
	<-l.Over()
}

// fail ends a connection whose socket was told of a peer that then was not reached: it will connect again.
func (f *flight) fail() {
	_ = f.conn.CloseWrite()
	<-f.over
	_ = f.conn.Close()
}
