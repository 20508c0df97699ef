package session_test

import (
	"bytes"
	"io"
	"sync"
	"testing"

	"qzmq.test/go/internal/session"
)

// TestNoAllocation: an established session seals and opens without an allocation.
func TestNoAllocation(t *testing.T) {
	for _, raw := range []bool{false, true} {
		client, server := configs(t, quick, raw)
		p := established(t, client, server)
		octets := make([]byte, 1000)
		sealed, out := make([]byte, 0, p.client.SealedSize(len(octets))), make([]byte, 0, 2000)
		if n := testing.AllocsPerRun(200, func() {
			sealed, _ = p.client.Seal(sealed[:0], octets)
			out, _, _ = p.server.Open(out[:0], sealed)
		}); n != 0 {
			t.Errorf("raw %t: %v allocations", raw, n)
		}
		if len(out) != len(octets) {
			t.Errorf("%d octets came out", len(out))
		}
	}
}

// TestSealedSize: what Seal makes is never more, with and without padding.
func TestSealedSize(t *testing.T) {
	for _, padding := range []int{0, 100} {
		client, server := configs(t, quick, false)
		client.Padding = padding
		p := established(t, client, server)
		for _, n := range []int{0, 1, 255, 65535, 65536, 65537, 1 << 20} {
			sealed, err := p.client.Seal(nil, make([]byte, n))
			if err != nil || len(sealed) > p.client.SealedSize(n) {
				t.Errorf("padding %d: %d octets make %d, SealedSize is %d: %v", padding, n, len(sealed), p.client.SealedSize(n), err)
			}
		}
	}
}

// pipe is a stream of octets in memory.
type pipe struct {
	mu sync.Mutex // the owner's write lock
	w  *io.PipeWriter
	r  *io.PipeReader
}

func newPipe() *pipe {
	r, w := io.Pipe()
	return &pipe{w: w, r: r}
}

// write writes what a call gives, while nobody else does.
func (p *pipe) write(produce func() []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if octets := produce(); len(octets) > 0 {
		_, _ = p.w.Write(octets)
	}
}

// TestConcurrent: one goroutine reads and one writes on each side, and a third begins generations and steps.
func TestConcurrent(t *testing.T) {
	client, server := configs(t, quick, false)
	p := established(t, client, server)
	up, down := newPipe(), newPipe()
	const rounds = 300
	var writers, readers sync.WaitGroup
	for _, way := range []struct {
		own, peer *side
		out, back *pipe
	}{{&p.client, &p.server, up, down}, {&p.server, &p.client, down, up}} {
		writers.Go(func() {
			for range rounds {
				way.out.write(func() []byte { sealed, _ := way.own.Seal(nil, bytes.Repeat([]byte("x"), 1000)); return sealed })
			}
		})
		writers.Go(func() {
			for i := range 20 {
				if err := way.own.Rekey(i%2 == 0); err != nil {
					t.Error(err)
				}
				way.out.write(way.own.Output)
			}
		})
		readers.Go(func() {
			if n := read(t, way.peer.Conn, way.out.r, func() { way.back.write(way.peer.Output) }); n != rounds*1000 {
				t.Errorf("%d octets arrived", n)
			}
		})
	}
	writers.Wait()
	_, _ = up.w.Close(), down.w.Close()
	readers.Wait()
}

// read opens what comes to the end of the stream, and writes answers without waiting for them to go.
func read(t *testing.T, conn *session.Conn, from io.Reader, flush func()) (octets int) {
	var answers sync.WaitGroup
	defer answers.Wait()
	var in, out []byte
	chunk := make([]byte, 4096)
	for {
		n, err := from.Read(chunk)
		if err != nil {
			return octets
		}
		in = append(in, chunk[:n]...)
		var consumed int
		var events []session.Event
		out, consumed, events = conn.Open(out[:0], in)
		in = in[consumed:]
		octets += len(out)
		for _, e := range events {
			if ended, is := e.(session.Ended); is {
				t.Errorf("ended by %s: %v", ended.Reason, ended.Alert)
			}
		}
		answers.Go(flush)
	}
}

// FuzzReceive: no octets from a peer make a side panic, before the handshake or after it, by Receive or by Open.
func FuzzReceive(f *testing.F) {
	client, server := configs(f, quick, false)
	seed := meet(f, client, server)
	f.Add(seed.client.Output(), uint8(0))
	f.Add([]byte("\x04\x37\x04QZMQ\x01\x01"), uint8(3))
	f.Add([]byte("\x04\x27\x04QZMQ\x10\x00\x01\x00\x00\x00\x00\x01"), uint8(6))
	f.Fuzz(func(t *testing.T, octets []byte, when uint8) {
		p := meet(t, client, server)
		for range when % 8 {
			p.carry(&p.client, &p.server)
			p.carry(&p.server, &p.client)
		}
		for _, s := range []*side{&p.client, &p.server} {
			s.Receive(octets)
			s.Open(nil, octets)
			s.EndOfFile()
		}
	})
}
