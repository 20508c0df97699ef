package qzmq_test

import (
	"bytes"
	"errors"
	"syscall"
	"testing"

	qzmq "qzmq.test/go"
)

// part receives a message of a STREAM socket: whose, and what.
func (w world) part(s qzmq.Socket) (identity, octets []byte) {
	w.Helper()
	message, err := s.RecvMessage(patience)
	if err != nil || len(message.Parts) != 2 || len(message.Parts[0]) != 5 {
		w.Fatalf("got %q, %v", message.Parts, err)
	}
	return message.Parts[0], message.Parts[1]
}

// meet receives the beginning of a connection.
func (w world) meet(s qzmq.Socket) (identity []byte) {
	w.Helper()
	identity, octets := w.part(s)
	if len(octets) != 0 {
		w.Fatalf("a connection begins with %q", octets)
	}
	return identity
}

// TestStream: octets go both ways, and connections begin and end, as libzmq's STREAM sockets tell it.
func TestStream(t *testing.T) {
	for name, secured := range map[string]bool{"QZMQ": true, "plain": false} {
		t.Run(name, func(t *testing.T) { everyBackend(t, func(t *testing.T, b qzmq.Backend) { testStream(t, b, secured) }) })
	}
}

func testStream(t *testing.T, backend qzmq.Backend, secured bool) {
	w := begin(t, backend)
	server, client := w.streams(secured)
	there, here := w.meet(server), w.meet(client)
	for _, size := range []int{1, 1000, 300_000} {
		sent := bytes.Repeat([]byte("x"), size)
		for _, way := range []struct {
			from, to     qzmq.Socket
			target, peer []byte
		}{{client, server, here, there}, {server, client, there, here}} {
			if err := way.from.TrySend([][]byte{way.target, sent}, patience); err != nil {
				t.Fatal(err)
			}
			var got []byte
			for len(got) < size {
				identity, octets := w.part(way.to)
				if !bytes.Equal(identity, way.peer) || len(octets) == 0 {
					t.Fatalf("%q came from %q", octets, identity)
				}
				got = append(got, octets...)
			}
			if !bytes.Equal(got, sent) {
				t.Fatal("other octets came")
			}
		}
	}
	if backend == qzmq.BackendGo {
		w.testStreamEnds(server, client, there, here)
	}
}

// testStreamEnds ends a connection, and the socket of the next.
func (w world) testStreamEnds(server, client qzmq.Socket, there, here []byte) {
	for _, last := range []string{"last", ""} { // the second ends the connection, behind the first
		if err := server.TrySend([][]byte{there, []byte(last)}, patience); err != nil {
			w.Fatal(err)
		}
		if identity, octets := w.part(client); !bytes.Equal(identity, here) || string(octets) != last {
			w.Fatalf("%q came from %q", octets, identity)
		}
	}
	if err := server.TrySend([][]byte{[]byte("nobody"), []byte("hello")}, 0); !errors.Is(err, syscall.EHOSTUNREACH) {
		w.Error(err)
	}
	again := w.meet(client) // it connects again
	if err := client.SendMultipart([][]byte{again, []byte("bye")}); err != nil {
		w.Fatal(err)
	}
	if err := client.Close(); err != nil {
		w.Fatal(err)
	}
	for {
		if _, octets := w.part(server); string(octets) == "bye" {
			return
		}
	}
}

// streams are two STREAM sockets, one connected to the other.
func (w world) streams(secured bool) (server, client qzmq.Socket) {
	w.Helper()
	if secured {
		server = w.bound(qzmq.STREAM)
		return server, w.connected(qzmq.STREAM, server)
	}
	plain := qzmq.Security{Plaintext: true}
	server, client = w.socket(qzmq.STREAM, "QZMQ_SECURITY", plain), w.socket(qzmq.STREAM, "QZMQ_SECURITY", plain)
	err := server.Bind("tcp://127.0.0.1:*")
	if err == nil {
		err = client.Connect(server.LastEndpoint())
	}
	if err != nil {
		w.Fatal(err)
	}
	return server, client
}
