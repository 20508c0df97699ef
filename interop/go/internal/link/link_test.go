package link_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"qzmq.test/go/internal/alert"
	"qzmq.test/go/internal/link"
	"qzmq.test/go/internal/link/linktest"
	"qzmq.test/go/internal/session"
)

// pair gives two links over tcp and the name that each says.
func pair(t *testing.T, first, second string) (a, b *link.Link) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	one, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	two, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	a = link.New(one, linktest.New(session.Property{Name: []byte(first)}), link.Hooks{})
	b = link.New(two, linktest.New(session.Property{Name: []byte(second)}), link.Hooks{})
	t.Cleanup(func() { _, _ = one.Close(), two.Close() })
	return a, b
}

func established(t *testing.T) (a, b *link.Link) {
	t.Helper()
	a, b = pair(t, "a", "b")
	done := make(chan error)
	go func() {
		_, err := a.Handshake()
		done <- err
	}()
	if peer, err := b.Handshake(); err != nil || string(peer.Metadata[0].Name) != "a" {
		t.Fatal(peer, err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return a, b
}

func TestEverythingArrivesBeforeTheEnd(t *testing.T) {
	a, b := established(t)
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<17)
	go func() {
		for rest := sent; len(rest) > 0; {
			n := min(len(rest), 1+len(rest)/3)
			if err := a.Write(rest[:n]); err != nil {
				t.Error(err)
				return
			}
			rest = rest[n:]
		}
		a.CloseWrite(5 * time.Second)
		if _, err := a.Next(); !errors.Is(err, io.EOF) {
			t.Error("the side that closed:", err)
		}
	}()
	var got []byte
	for {
		octets, err := b.Next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				t.Error(err)
			}
			break
		}
		got = append(got, octets...)
		if len(got) < 1<<16 {
			time.Sleep(time.Millisecond)
		}
	}
	if !bytes.Equal(got, sent) {
		t.Errorf("%d octets of %d arrived", len(got), len(sent))
	}
	for _, l := range []*link.Link{a, b} {
		select {
		case <-l.Over():
		case <-time.After(5 * time.Second):
			t.Error("the connection is not closed")
		}
	}
}

func TestTruncated(t *testing.T) {
	a, b := established(t)
	if err := b.Write([]byte("last words")); err != nil {
		t.Fatal(err)
	}
	b.Abort()
	octets, err := a.Next()
	if string(octets) != "last words" || err != nil {
		t.Errorf("got %q, %v", octets, err)
	}
	_, err = a.Next()
	if ended, ok := link.IsEnd(err); !ok || ended.Reason != session.Truncated {
		t.Error(err)
	}
}

func TestFinalRefusal(t *testing.T) {
	a, b := pair(t, "a", "refused")
	go func() { _, _ = b.Handshake() }()
	_, err := a.Handshake()
	if ended, ok := link.IsEnd(err); !ok || !ended.Final || ended.Alert.Description != alert.AccessDenied {
		t.Error(err)
	}
}

func TestHandshakeTime(t *testing.T) {
	a, _ := pair(t, "a", "b")
	began := time.Now()
	_, err := a.Handshake()
	if ended, ok := link.IsEnd(err); !ok || ended.Alert == nil || ended.Alert.Requirement != "SEC-2" {
		t.Error(err)
	}
	if took := time.Since(began); took < linktest.Deadline || took > 10*linktest.Deadline {
		t.Error("it took", took)
	}
}

func TestCancelFromOutside(t *testing.T) {
	a, _ := pair(t, "a", "b")
	time.AfterFunc(20*time.Millisecond, func() { a.CloseWrite(time.Second) })
	if _, err := a.Handshake(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

func TestBothWriteAtOnceAndNobodyWaitsForEver(t *testing.T) {
	a, b := established(t)
	block := make([]byte, 1<<20)
	done := make(chan int)
	for _, l := range []*link.Link{a, b} {
		go func() {
			for range 16 {
				if err := l.Write(block); err != nil {
					t.Error(err)
				}
			}
		}()
		go func() {
			total := 0
			for total < 16<<20 {
				octets, err := l.Next()
				if err != nil {
					t.Error(err)
					break
				}
				total += len(octets)
			}
			done <- total
		}()
	}
	for range 2 {
		select {
		case total := <-done:
			if total != 16<<20 {
				t.Error(total)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("stuck")
		}
	}
}
