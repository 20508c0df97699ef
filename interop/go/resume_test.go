package qzmq_test

import (
	"testing"
	"time"

	qzmq "qzmq.test/go"
)

// TestResume: a client offers tickets as its option QZMQ_RESUME says, among them those that it kept meanwhile.
func TestResume(t *testing.T) {
	public, secret, err := qzmq.Keypair("default")
	if err != nil {
		t.Fatal(err)
	}
	options := qzmq.DefaultOptions()
	options.Timeouts = qzmq.TimeoutConfig{Reconnect: 10 * time.Millisecond}
	options.Resumption.Store = qzmq.NewTicketStore()
	options.Security.SecretKey = secret
	transport, server := open(t, options, qzmq.REP)
	if err := server.Bind("tcp://127.0.0.1:*"); err != nil {
		t.Fatal(err)
	}
	endpoint := server.LastEndpoint()

	theirs, resumed := options, make(chan bool, 8)
	theirs.Security = qzmq.Security{ServerKeys: []string{public}}
	theirs.Observe = func(_ qzmq.Socket, event qzmq.Event) {
		if event.Kind == qzmq.EventEstablished {
			resumed <- event.Peer.Resumed
		}
	}
	_, client := open(t, theirs, qzmq.REQ)
	if err := client.SetOption("QZMQ_RESUME", "yes"); err == nil {
		t.Error("QZMQ_RESUME takes a string")
	}
	if err := client.Connect(endpoint); err != nil {
		t.Fatal(err)
	}
	for i, offers := range []bool{true, false, true} {
		if i > 0 {
			if err := transport.Close(); err != nil {
				t.Fatal(err)
			}
			transport, server = open(t, options, qzmq.REP)
			if err := server.Bind(endpoint); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := <-resumed, offers && i > 0; got != want {
			t.Errorf("connection %d: resumed is %v", i, got)
		}
		echo(t, client, server)
		if err := client.SetOption("QZMQ_RESUME", !offers); err != nil {
			t.Fatal(err)
		}
	}
}

func open(t *testing.T, options qzmq.Options, kind qzmq.SocketType) (qzmq.Transport, qzmq.Socket) {
	t.Helper()
	transport, err := qzmq.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = transport.Close() })
	socket, err := transport.NewSocket(kind)
	if err != nil {
		t.Fatal(err)
	}
	return transport, socket
}

// echo lets a message go there and back, behind which both sides have all that a handshake sends.
func echo(t *testing.T, client, server qzmq.Socket) {
	t.Helper()
	for _, hop := range [][2]qzmq.Socket{{client, server}, {server, client}} {
		if err := hop[0].TrySend([][]byte{[]byte("hello")}, 5*time.Second); err != nil {
			t.Fatal(err)
		}
		if _, err := hop[1].RecvMessage(5 * time.Second); err != nil {
			t.Fatal(err)
		}
	}
}
