package pure

import (
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"qzmq.test/go/internal/bridge"
	"qzmq.test/go/internal/local"
	"qzmq.test/go/internal/session"
)

// Small writes wait for the end of their message, and are copied to go in one record; above directly they are sealed
// where they lie.
const (
	waitBelow = 4 << 10
	directly  = 16 << 10
)

// errLost tells the library that a peer is gone, as the end of a stream does: any other error it takes for a passing one.
var errLost = fmt.Errorf("the peer is gone: %w", io.EOF)

// inner is a link as the library sees it: a connection on which a peer speaks ZMTP NULL. The library reads and writes
// with one goroutine each.
type inner struct {
	link     carrier
	kind     string // the socket's type
	tags     bool   // messages are to tell whose they are
	identity string // the peer's
	linger   func() time.Duration
	ready    chan struct{} // closed when the library has said READY
	arrived  chan struct{} // closed when the handshake is over; what the library writes before is early data
	missed   error         // why it failed

	reading sync.Mutex
	inbound local.Inbound
	toRead  []byte // what Read gives next
	rest    []byte // what came from the peer behind it
	closed  bool
	topics  *topics // of an XPUB socket
	tag     []byte  // put behind every message, for Receive; nil if nobody asks whose it is
	tagger  local.Tagger
	tagged  []byte
	wishes  []wish // that the library has heard of when it reads the next time
	pumped  *pump  // reads instead of the library, if it does not

	writing   sync.Mutex
	hello     []byte // the library's greeting and READY, until they are whole
	greeted   bool
	outbound  *local.Outbound // of a socket that subscribes
	messages  local.Messages
	held      []byte // the beginning of a message
	translate []byte
	written   *atomic.Uint64 // counts whole messages, of all the socket's connections
}

// newInner makes the library's side of a socket's link.
func newInner(s *Socket, carried carrier) *inner {
	c := &inner{link: carried, kind: s.kind, tags: s.tagging(), linger: s.lingerTime, written: &s.written, topics: s.topics,
		ready: make(chan struct{}), arrived: make(chan struct{})}
	if c.topics != nil {
		c.inbound.Heard = func(wants bool, topic []byte) { c.wishes = append(c.wishes, wish{wants, string(topic)}) }
	}
	if c.kind == "SUB" || c.kind == "XSUB" {
		c.outbound = new(local.Outbound)
	}
	return c
}

// arrive says that the handshake is over: who the peer is, or why it failed.
func (c *inner) arrive(peer []session.Property, err error) {
	c.missed = err
	if c.tags {
		c.tag = local.Tag(bridge.ToLocal(peer))
	}
	close(c.arrived)
}

// begin has the peer greet, and say READY with these properties.
func (c *inner) begin(properties []local.Property) {
	c.toRead = append(local.Greeting(), local.Ready(properties)...)
	if c.kind == "REQ" || c.kind == "PUSH" {
		c.pump(c.kind == "PUSH")
	}
}

// Read gives the library what the peer says.
func (c *inner) Read(p []byte) (int, error) {
	if c.pumped != nil {
		return c.pumped.read(p)
	}
	c.reading.Lock()
	defer c.reading.Unlock()
	for len(c.toRead) == 0 {
		if c.closed {
			return 0, net.ErrClosed
		}
		for _, w := range c.wishes {
			c.topics.change(c, w)
		}
		c.wishes = c.wishes[:0]
		if len(p) >= directly && !c.tags && len(c.rest) == 0 && c.inbound.Body() >= uint64(len(p)) {
			return c.readInto(p)
		}
		traffic, err := c.step()
		if err != nil {
			return 0, io.EOF
		}
		c.toRead = traffic
	}
	n := copy(p, c.toRead)
	c.toRead = c.toRead[n:]
	return n, nil
}

// readInto reads the body of a message, as far as it can without a copy.
func (c *inner) readInto(p []byte) (int, error) {
	octets, err := c.link.NextInto(p)
	if err != nil {
		return 0, io.EOF
	}
	n := copy(p, octets) // nothing, if they are there already
	c.inbound.Skip(n)
	c.rest = octets[n:]
	return n, nil
}

// step reads from the link what the library is to read next; it may be nothing.
func (c *inner) step() (traffic []byte, err error) {
	if len(c.rest) == 0 {
		if <-c.arrived; c.missed != nil {
			return nil, c.missed
		}
		if c.rest, err = c.link.Next(); err != nil {
			return nil, err
		}
	}
	var reply []byte
	traffic, reply, c.rest, err = c.inbound.Step(c.rest)
	if len(reply) > 0 {
		go func() { _ = c.link.Write(reply) }() // whoever reads must not wait for the peer to read
	}
	if c.tag != nil {
		c.tagged = c.tagger.Append(c.tagged[:0], traffic, c.tag)
		traffic = c.tagged
	}
	return traffic, err
}

// Write takes what the library says.
func (c *inner) Write(p []byte) (int, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	octets := p
	if !c.greeted {
		var err error
		if octets, err = c.greet(p); err != nil || len(octets) == 0 {
			return len(p), err
		}
	}
	if c.outbound != nil {
		c.translate = c.outbound.Append(c.translate[:0], octets)
		octets = c.translate
	}
	if err := c.send(octets); err != nil {
		return 0, errLost
	}
	return len(p), nil
}

// greet takes the library's greeting and READY, which say nothing that the session has not said, and gives what
// follows.
func (c *inner) greet(p []byte) ([]byte, error) {
	c.hello = append(c.hello, p...)
	if len(c.hello) < local.GreetingSize {
		return nil, nil
	}
	if err := local.CheckGreeting(c.hello[:local.GreetingSize]); err != nil {
		return nil, err
	}
	end, err := local.FrameEnd(c.hello[local.GreetingSize:])
	if err != nil || end == 0 {
		return nil, err
	}
	rest := c.hello[local.GreetingSize+end:]
	c.greeted, c.hello = true, nil
	close(c.ready)
	return rest, nil
}

// send writes octets in as few records as their messages allow.
func (c *inner) send(octets []byte) error {
	whole := c.messages.End(octets)
	var err error
	switch {
	case !whole && len(c.held)+len(octets) < waitBelow:
		c.held = append(c.held, octets...)
		return nil
	case len(c.held)+len(octets) > directly:
		err = c.write(c.held, octets)
	default:
		c.held = append(c.held, octets...)
		err = c.write(c.held)
	}
	c.held = c.held[:0]
	if err == nil && whole {
		c.written.Add(1)
	}
	return err
}

func (c *inner) write(pieces ...[]byte) error {
	select {
	case <-c.arrived:
		return c.link.Write(pieces...)
	default:
		return c.link.WriteEarly(slices.Concat(pieces...))
	}
}

// Close closes the link in order. What the peer still says is read and dropped, until its own end or the linger time.
func (c *inner) Close() error {
	if c.pumped != nil {
		c.pumped.close()
		go c.part()
		return nil
	}
	go func() {
		c.part()
		c.reading.Lock()
		defer c.reading.Unlock()
		c.closed = true
		for <-c.arrived; c.missed == nil; {
			if _, err := c.link.Next(); err != nil {
				return
			}
		}
	}()
	return nil
}

// part ends what this side says, behind what was said early.
func (c *inner) part() {
	linger := c.linger()
	select {
	case <-c.arrived:
	case <-time.After(linger):
	}
	c.link.CloseWrite(linger)
}

func (c *inner) LocalAddr() net.Addr              { return address("local") }
func (c *inner) RemoteAddr() net.Addr             { return address("peer") }
func (c *inner) SetDeadline(time.Time) error      { return nil }
func (c *inner) SetReadDeadline(time.Time) error  { return nil }
func (c *inner) SetWriteDeadline(time.Time) error { return nil }
