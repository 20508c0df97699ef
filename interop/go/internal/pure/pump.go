package pure

import (
	"io"
	"net"
	"sync"
)

// pump reads the link of a socket that the library reads only when it is asked to, REQ, or never, PUSH: pings are to
// be answered all the same, and the end is to be seen.
type pump struct {
	mu    sync.Mutex
	more  sync.Cond
	queue []byte
	err   error
}

// pumpLimit is how many octets a pump holds for a library that does not read.
const pumpLimit = 1 << 20

// pump begins to read. With drop, what is not for the library is dropped: a PUSH socket is sent nothing.
func (c *inner) pump(drop bool) {
	p := &pump{}
	p.more.L = &p.mu
	p.queue, c.toRead = c.toRead, nil
	c.pumped = p
	go func() {
		for {
			traffic, err := c.step()
			p.put(traffic, err, drop)
			if err != nil {
				return
			}
		}
	}()
}

func (p *pump) put(traffic []byte, err error, drop bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.queue) > pumpLimit && p.err == nil {
		p.more.Wait()
	}
	if !drop {
		p.queue = append(p.queue, traffic...)
	}
	if p.err == nil {
		p.err = err
	}
	p.more.Broadcast()
}

func (p *pump) read(octets []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.queue) == 0 {
		if p.err != nil {
			return 0, io.EOF
		}
		p.more.Wait()
	}
	n := copy(octets, p.queue)
	p.queue = append(p.queue[:0], p.queue[n:]...)
	p.more.Broadcast()
	return n, nil
}

// close ends reading for the library; the link is still read to its end.
func (p *pump) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err, p.queue = net.ErrClosed, nil
	p.more.Broadcast()
}
