package qzmq_test

import (
	"testing"
	"time"

	qzmq "qzmq.test/go"
)

// TestProperties: with go-zeromq too a message tells whose it is, for those who ask before they bind or connect.
func TestProperties(t *testing.T) {
	w := begin(t, qzmq.BackendGo)
	public, secret, err := qzmq.Keypair("default")
	if err != nil {
		t.Fatal(err)
	}
	for name, pair := range map[string][2]qzmq.SocketType{
		"PULL": {qzmq.PULL, qzmq.PUSH}, "REP": {qzmq.REP, qzmq.REQ}, "ROUTER": {qzmq.ROUTER, qzmq.DEALER},
		"PAIR": {qzmq.PAIR, qzmq.PAIR},
	} {
		t.Run(name, func(t *testing.T) {
			w.T = t
			server := w.bound(pair[0], "QZMQ_PROPERTIES", true, "QZMQ_CLIENTKEYS", []string{public, w.public})
			for _, client := range []struct{ secret, public string }{{secret, public}, {w.secret, w.public}} {
				client, public := w.connected(pair[1], server, "QZMQ_SECRETKEY", client.secret), client.public
				for _, text := range []string{"hello", ""} {
					w.send(client, text)
					message := w.last(server, text)
					if got := message.Properties["X-QZMQ-Peer"]; got != public {
						t.Errorf("%q came from %q, not from %q", text, got, public)
					}
					if pair[0] == qzmq.REP && text != "" { // of an empty request the library makes a wrong answer
						w.send(server, "answer")
						w.receive(client, "answer")
					}
				}
				if err := client.Close(); err != nil {
					t.Fatal(err)
				}
				time.Sleep(50 * time.Millisecond) // PAIR has one peer at a time
			}
			if err := server.SetOption("QZMQ_PROPERTIES", false); err == nil {
				t.Error("too late, and yet")
			}
		})
	}
	if err := w.socket(qzmq.PULL, "QZMQ_PROPERTIES", true, "QZMQ_SECURITY", qzmq.Security{Plaintext: true}).
		Bind("tcp://127.0.0.1:*"); err == nil {
		t.Error("nobody can vouch for properties in plaintext")
	}
}
