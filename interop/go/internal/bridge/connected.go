package bridge

import (
	"context"
	"net"
	"time"

	"qzmq.test/go/internal/link"
	"qzmq.test/go/internal/local"
	"qzmq.test/go/internal/network"
	"qzmq.test/go/internal/session"
)

// Options are what the sessions of one socket have in common.
type Options struct {
	// Make makes a session. Own is what the application's socket says of itself in READY, nil if it has not been asked;
	// unfinished counts the endpoint's handshakes that are not over, nil where nobody is accepted.
	Make     func(peerAddress string, own []session.Property, unfinished func() int) (link.Session, error)
	Hooks    link.Hooks
	HalfOpen int    // SEC-3
	Curve    *Curve // how a port serves CURVE clients too; nil if it does not

	ReconnectInterval    time.Duration // between two attempts to reach the peer
	ReconnectIntervalMax time.Duration // up to which it doubles; 0 does not double it
}

// Connected is the network side of a socket that connects. The socket connects the private path, again after each
// loss; each of its connections waits there until the peer is reached.
type Connected struct {
	hop      *Hop
	to       network.Endpoint
	options  Options
	path     string
	listener *net.UnixListener // nil while a raw hop waits for the peer
	accepted chan struct{}     // gets one for each connection of the application's socket
	context  context.Context
	cancel   context.CancelFunc
}

// Connect prepares the way to the endpoint.
func (h *Hop) Connect(to network.Endpoint, options Options) (*Connected, error) {
	c := &Connected{hop: h, to: to, options: options, path: h.path(), accepted: make(chan struct{}, 1)}
	c.context, c.cancel = context.WithCancel(context.Background())
	if h.raw {
		return c, nil
	}
	return c, c.listen()
}

func (c *Connected) listen() (err error) {
	c.listener, err = net.ListenUnix("unix", &net.UnixAddr{Name: c.path, Net: "unix"})
	return err
}

// Path is what the application's socket connects, as ipc:// endpoint.
func (c *Connected) Path() string { return "ipc://" + c.path }

// Close gives up reaching the peer. A session that is established goes on.
func (c *Connected) Close() {
	c.cancel()
	if c.listener != nil && !c.hop.raw {
		_ = c.listener.Close()
	}
}

// Reaching tells whether the socket may still come to speak to the peer: until Close, or until it was refused for good.
func (c *Connected) Reaching() bool { return !c.hop.raw && c.context.Err() == nil }

// Await returns when the application's socket has connected the private path, or after that time.
func (c *Connected) Await(limit time.Duration) {
	select {
	case <-c.accepted:
	case <-time.After(limit):
	}
}

// Run serves the application's socket until Close.
func (c *Connected) Run() {
	if c.hop.raw {
		c.runRaw()
		return
	}
	for {
		conn, err := c.accept()
		if err != nil {
			return
		}
		go c.serve(conn)
	}
}

func (c *Connected) accept() (*net.UnixConn, error) {
	for {
		conn, err := c.listener.AcceptUnix()
		if err != nil {
			return nil, err
		}
		if network.IsOwnProcess(conn) {
			c.hop.enter()
			select {
			case c.accepted <- struct{}{}:
			default:
			}
			return conn, nil
		}
		_ = conn.Close()
	}
}

// serve reaches the peer for one connection of the application's socket. It answers READY when the peer is there.
func (c *Connected) serve(conn *net.UnixConn) {
	defer c.hop.leave()
	own, err := local.Begin(conn)
	if err != nil {
		_ = conn.Close()
		return
	}
	inner, err := newPrivate(conn)
	if err != nil {
		return
	}
	wanted, cancel := context.WithCancel(c.context)
	defer cancel()
	f := &flight{hop: c.hop, conn: inner, from: newReader(inner, cancel)}
	l, peer, err := Reach(wanted, c.to, c.options, FromLocal(own), f.begin)
	switch {
	case err != nil && f.over != nil:
		f.fail()
		c.giveUp(err)
		return
	case err != nil:
		c.refuse(inner, f.from, err)
		return
	case f.over == nil:
		f.begin(l, peer)
	}
	f.land(l)
}

// Reach tries to connect to the endpoint until a session is established, this side is refused for good, or it is no
// longer wanted. Own is what the application's socket says of itself. Early, unless it is nil, is called as
// link.Link.OnEarly says; after that there is no other attempt.
func Reach(
	wanted context.Context, to network.Endpoint, options Options, own []session.Property,
	early func(*link.Link, session.Peer),
) (*link.Link, session.Peer, error) {
	pause := options.ReconnectInterval
	for {
		spoke := false
		var begin func(*link.Link, session.Peer)
		if early != nil {
			begin = func(l *link.Link, peer session.Peer) { spoke = true; early(l, peer) }
		}
		l, peer, err := attempt(wanted, to, options, own, begin)
		if err == nil || spoke {
			return l, peer, err
		}
		if ended, ok := link.IsEnd(err); ok && ended.Final {
			return nil, session.Peer{}, err
		}
		if Pause(wanted, pause); wanted.Err() != nil {
			return nil, session.Peer{}, wanted.Err()
		}
		pause = min(2*pause, max(pause, options.ReconnectIntervalMax))
	}
}

// Pause waits for the interval, or until nobody wants to go on.
func Pause(wanted context.Context, interval time.Duration) {
	select {
	case <-wanted.Done():
	case <-time.After(interval):
	}
}

func attempt(
	wanted context.Context, to network.Endpoint, options Options, own []session.Property,
	early func(*link.Link, session.Peer),
) (*link.Link, session.Peer, error) {
	conn, err := to.Dial(wanted)
	if err != nil {
		return nil, session.Peer{}, err
	}
	s, err := options.Make(network.PeerAddress(conn), own, nil)
	if err != nil {
		_ = conn.Close()
		return nil, session.Peer{}, err
	}
	l := link.New(conn, s, options.Hooks)
	l.OnEarly(early)
	defer context.AfterFunc(wanted, func() { l.CloseWrite(time.Second) })()
	peer, err := l.Handshake()
	return l, peer, err
}

// refuse ends a connection of the application's socket whose peer was not reached. A refusal that is final makes
// libzmq stop trying (ALR-6).
func (c *Connected) refuse(conn *private, from *reader, err error) {
	if c.giveUp(err) {
		_, _ = conn.Write(local.Error(local.StatusRefused))
	}
	_ = conn.CloseWrite()
	for err = nil; err == nil; { // libzmq closes first
		_, err = from.next()
	}
	_ = conn.Close()
}

// giveUp reaches for the peer no more if it refused this side for good.
func (c *Connected) giveUp(err error) bool {
	ended, ok := link.IsEnd(err)
	if ok && ended.Final {
		c.Close()
	}
	return ok && ended.Final
}

// runRaw serves a STREAM socket: its private path exists only while there is a peer, since nothing on the hop would
// tell it to wait.
func (c *Connected) runRaw() {
	for c.context.Err() == nil {
		l, _, err := Reach(c.context, c.to, c.options, nil, nil)
		if err != nil || c.listen() != nil {
			return
		}
		conn, err := c.accept()
		_ = c.listener.Close()
		if err != nil {
			c.hop.abandon(l)
			return
		}
		inner, err := newPrivate(conn)
		if err != nil {
			c.hop.abandon(l)
			return
		}
		c.hop.join(l, inner, newReader(inner, func() {}))
		c.hop.leave()
		Pause(c.context, c.options.ReconnectInterval)
	}
}
