package qzmq_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	qzmq "qzmq.test/go"
)

// connecting is a socket that connects where nobody listens yet.
func connecting(t *testing.T, backend qzmq.Backend, kind qzmq.SocketType) (w world, client qzmq.Socket, path string) {
	t.Helper()
	w = begin(t, backend, func(o *qzmq.Options) { o.Timeouts.Reconnect = 20 * time.Millisecond })
	path = "ipc://" + filepath.Join(t.TempDir(), "endpoint")
	client = w.socket(kind, "QZMQ_SERVERKEY", w.public)
	if err := client.Connect(path); err != nil {
		t.Fatal(err)
	}
	return w, client, path
}

// What only sends learns that its peer is gone by sending, and goes on with the next.
func TestWhoOnlySendsGoesOn(t *testing.T) {
	everyBackend(t, func(t *testing.T, backend qzmq.Backend) {
		w, client, path := connecting(t, backend, qzmq.PUSH)
		for range 3 {
			server := w.socket(qzmq.PULL, "QZMQ_SECRETKEY", w.secret)
			if err := server.Bind(path); err != nil {
				t.Fatal(err)
			}
			for { // what goes into a connection that is being lost is lost
				w.send(client, "hello")
				if _, err := server.RecvMessage(50 * time.Millisecond); err == nil {
					break
				}
			}
			if err := server.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// A socket that connects takes messages before its peer is there, and waits for it when it closes.
func TestAMessageWaitsForItsPeer(t *testing.T) {
	everyBackend(t, func(t *testing.T, backend qzmq.Backend) {
		w, client, path := connecting(t, backend, qzmq.PUSH)
		if err := client.TrySend([][]byte{[]byte("hello")}, 0); err != nil {
			t.Fatal(err)
		}
		closed := make(chan error, 1)
		go func() { closed <- client.Close() }()
		time.Sleep(50 * time.Millisecond)
		server := w.socket(qzmq.PULL, "QZMQ_SECRETKEY", w.secret)
		if err := server.Bind(path); err != nil {
			t.Fatal(err)
		}
		w.receive(server, "hello")
		if err := <-closed; err != nil {
			t.Error(err)
		}
	})
}

func TestWaitingAndClosing(t *testing.T) {
	everyBackend(t, func(t *testing.T, backend qzmq.Backend) {
		w := begin(t, backend)
		server := w.bound(qzmq.PULL)
		if _, err := server.RecvMessage(0); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
		if err := server.SetOption("RCVTIMEO", 20); err != nil {
			t.Fatal(err)
		}
		if _, err := server.Recv(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
		if err := server.SetOption("RCVTIMEO", -1); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(30*time.Millisecond, func() { _ = server.Close() })
		if _, err := server.Recv(); err == nil {
			t.Error("a closed socket received")
		}
		if err := server.Send(nil); err == nil {
			t.Error("a closed socket sent")
		}
	})
}

func TestWhatWasSentArrivesAfterClose(t *testing.T) {
	everyBackend(t, func(t *testing.T, backend qzmq.Backend) {
		w := begin(t, backend)
		server := w.bound(qzmq.PULL)
		client := w.connected(qzmq.PUSH, server)
		const count = 300
		payload := strings.Repeat("x", 20_000)
		go func() {
			for range count {
				if err := client.Send([]byte(payload)); err != nil {
					t.Error(err)
				}
			}
			if err := client.Close(); err != nil {
				t.Error(err)
			}
		}()
		for range count {
			w.receive(server, payload)
		}
	})
}
