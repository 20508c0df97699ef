// Package linktest has a session without protection, to test what carries sessions.
package linktest

import (
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"qzmq.test/go/internal/alert"
	"qzmq.test/go/internal/session"
)

// Deadline is how long the hello of the peer may take.
const Deadline = 300 * time.Millisecond

// Plain is a session that begins with one hello of each side, its metadata, and then frames octets by their length. A
// frame of length 0 is close_notify, and a hello of a name "refused" a final refusal.
type Plain struct {
	mu          sync.Mutex
	output      []byte
	received    []byte
	established bool
	over        bool
	began       time.Time
}

// New makes one that sends a hello with this metadata; it has at most one property here.
func New(own session.Property) *Plain {
	hello := append(append([]byte{byte(len(own.Name))}, own.Name...), byte(len(own.Value)))
	return &Plain{output: append(hello, own.Value...), began: time.Now()}
}

// Receive is that of session.Conn.
func (p *Plain) Receive(data []byte) (events []session.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.received = append(p.received, data...)
	if !p.established {
		events = p.hello()
	}
	if p.established {
		octets, n, more := p.open(nil, p.received)
		p.received = p.received[n:]
		if len(octets) > 0 {
			events = append(events, session.Received{Octets: octets})
		}
		events = append(events, more...)
	}
	return events
}

func (p *Plain) hello() []session.Event {
	octets := p.received
	if len(octets) < 1 || len(octets) < 2+int(octets[0]) || len(octets) < 2+int(octets[0])+int(octets[1+octets[0]]) {
		return nil
	}
	name := octets[1 : 1+octets[0]]
	value := octets[2+octets[0]:][:octets[1+octets[0]]]
	p.received = octets[2+len(name)+len(value):]
	if string(name) == "refused" {
		return p.end(session.Ended{
			Reason: session.PeerAlert, Alert: alert.New(alert.AccessDenied, "", "refused"), Authenticated: true, Final: true,
		})
	}
	p.established = true
	return []session.Event{session.Established{Peer: session.Peer{
		Metadata: []session.Property{{Name: name, Value: value}},
	}}}
}

func (p *Plain) end(ended session.Ended) []session.Event {
	p.over = true
	return []session.Event{ended}
}

// Open is that of session.Conn.
func (p *Plain) Open(dst, src []byte) ([]byte, int, []session.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open(dst, src)
}

func (p *Plain) open(dst, src []byte) (out []byte, consumed int, events []session.Event) {
	for len(src[consumed:]) >= 4 && !p.over {
		size := int(binary.BigEndian.Uint32(src[consumed:]))
		if size == 0 {
			p.output = append(p.output, 0, 0, 0, 0)
			return dst, consumed + 4, p.end(session.Ended{Reason: session.Closed})
		}
		if len(src[consumed:]) < 4+size {
			break
		}
		dst = append(dst, src[consumed+4:consumed+4+size]...)
		consumed += 4 + size
	}
	return dst, consumed, nil
}

// Output is that of session.Conn.
func (p *Plain) Output() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	output := p.output
	p.output = nil
	return output
}

// Seal is that of session.Conn.
func (p *Plain) Seal(dst, octets []byte) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.established || p.over {
		return dst, errors.New("not established")
	}
	dst = append(dst, p.output...)
	p.output = nil
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(octets))), octets...), nil
}

// SealedSize is that of session.Conn.
func (p *Plain) SealedSize(n int) int { return n + 4 }

// Close is that of session.Conn.
func (p *Plain) Close() []session.Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.established {
		return p.end(session.Ended{Reason: session.Closed})
	}
	p.output = append(p.output, 0, 0, 0, 0)
	return nil
}

// EndOfFile is that of session.Conn.
func (p *Plain) EndOfFile() []session.Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return nil
	}
	return p.end(session.Ended{Reason: session.Truncated})
}

// Tick is that of session.Conn.
func (p *Plain) Tick() []session.Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.established || p.over || time.Since(p.began) < Deadline {
		return nil
	}
	return p.end(session.Ended{Reason: session.Alerted, Alert: alert.New(alert.UserCanceled, "SEC-2", "too slow")})
}

// NextDeadline is that of session.Conn.
func (p *Plain) NextDeadline() (time.Time, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.began.Add(Deadline), !p.established
}

// Answer is that of session.Conn.
func (p *Plain) Answer(session.Verdict) []session.Event { return nil }

// Rekey is that of session.Conn.
func (p *Plain) Rekey(bool) error { return nil }

// Steps is that of session.Conn.
func (p *Plain) Steps() (sent, received uint64) { return 0, 0 }

// Export is that of session.Conn.
func (p *Plain) Export(string, []byte, int) ([]byte, error) { return nil, errors.New("no secrets") }
