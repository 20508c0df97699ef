package bridge

import (
	"net"
	"sync/atomic"

	"qzmq.test/go/internal/link"
	"qzmq.test/go/internal/local"
	"qzmq.test/go/internal/network"
	"qzmq.test/go/internal/session"
)

// Bound is the network side of a socket that binds. The socket binds the private path; each session that is
// established becomes one connection to it.
type Bound struct {
	hop      *Hop
	path     string
	acceptor *link.Acceptor
	closing  atomic.Bool
	Endpoint network.Endpoint // as bound, with its port
}

// Bind listens at the endpoint.
func (h *Hop) Bind(at network.Endpoint, options Options) (*Bound, error) {
	listener, endpoint, err := at.Listen()
	if err != nil {
		return nil, err
	}
	b := &Bound{hop: h, path: h.path(), Endpoint: endpoint}
	b.acceptor = &link.Acceptor{
		Listener: listener,
		Make:     func(address string) (link.Session, error) { return options.Make(address, nil, b.acceptor.Unfinished) },
		Hooks:    options.Hooks,
		HalfOpen: options.HalfOpen,
		Serve:    b.serve,
	}
	if options.Curve != nil {
		b.acceptor.Curve = b.serveCurve
	}
	return b, nil
}

// Path is what the application's socket binds, as ipc:// endpoint, before Run.
func (b *Bound) Path() string { return "ipc://" + b.path }

// Run accepts connections until Close.
func (b *Bound) Run() { b.acceptor.Run() }

// Close accepts no more. The sessions that are established go on.
func (b *Bound) Close() error {
	b.closing.Store(true)
	return b.acceptor.Close()
}

func (b *Bound) serve(l *link.Link, peer session.Peer) {
	b.hop.enter()
	defer b.hop.leave()
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: b.path, Net: "unix"})
	if err != nil {
		b.hop.abandon(l)
		return
	}
	if !b.hop.raw {
		if _, err = local.Begin(conn); err == nil {
			_, err = conn.Write(ready(peer))
		}
	}
	if err != nil {
		_ = conn.Close()
		b.hop.abandon(l)
		return
	}
	own, err := newPrivate(conn)
	if err != nil {
		b.hop.abandon(l)
		return
	}
	b.hop.join(l, own, newReader(own, func() {}))
}
