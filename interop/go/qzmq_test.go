package qzmq_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	qzmq "qzmq.test/go"
)

const patience = 10 * time.Second

// everyBackend runs a test over each backend that is built in.
func everyBackend(t *testing.T, test func(t *testing.T, backend qzmq.Backend)) {
	for _, backend := range []qzmq.Backend{qzmq.BackendLibzmq, qzmq.BackendGo} {
		options := qzmq.DefaultOptions()
		options.Backend = backend
		transport, err := qzmq.New(options)
		if err != nil {
			continue // built without cgo
		}
		_ = transport.Close()
		t.Run(backend.String(), func(t *testing.T) { test(t, backend) })
	}
}

// world has what most tests need: a transport, and the key of a server.
type world struct {
	*testing.T
	transport      qzmq.Transport
	public, secret string
}

func begin(t *testing.T, backend qzmq.Backend, change ...func(*qzmq.Options)) world {
	t.Helper()
	options := qzmq.DefaultOptions()
	options.Backend, options.Timeouts.Linger = backend, 2*time.Second
	for _, c := range change {
		c(&options)
	}
	transport, err := qzmq.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := transport.Close(); err != nil {
			t.Error(err)
		}
	})
	public, secret, err := qzmq.Keypair("default")
	if err != nil {
		t.Fatal(err)
	}
	return world{t, transport, public, secret}
}

func (w world) socket(kind qzmq.SocketType, set ...any) qzmq.Socket {
	w.Helper()
	s, err := w.transport.NewSocket(kind)
	for i := 0; err == nil && i < len(set); i += 2 {
		err = s.SetOption(set[i].(string), set[i+1])
	}
	if err != nil {
		w.Fatal(err)
	}
	return s
}

func (w world) bound(kind qzmq.SocketType, set ...any) qzmq.Socket {
	w.Helper()
	s := w.socket(kind, append([]any{"QZMQ_SECRETKEY", w.secret}, set...)...)
	if err := s.Bind("tcp://127.0.0.1:*"); err != nil {
		w.Fatal(err)
	}
	return s
}

func (w world) connected(kind qzmq.SocketType, to qzmq.Socket, set ...any) qzmq.Socket {
	w.Helper()
	s := w.socket(kind, append([]any{"QZMQ_SERVERKEY", w.public}, set...)...)
	if err := s.Connect(to.LastEndpoint()); err != nil {
		w.Fatal(err)
	}
	return s
}

func (w world) send(s qzmq.Socket, text ...string) {
	w.Helper()
	var parts [][]byte
	for _, part := range text {
		parts = append(parts, []byte(part))
	}
	if err := s.TrySend(parts, patience); err != nil {
		w.Fatal(err)
	}
}

func (w world) receive(s qzmq.Socket, want ...string) qzmq.Message {
	w.Helper()
	message, err := s.RecvMessage(patience)
	var got []string
	for _, part := range message.Parts {
		got = append(got, string(part))
	}
	if err != nil || !slices.Equal(got, want) {
		w.Fatalf("got %q, %v; want %q", got, err, want)
	}
	return message
}

func TestPresets(t *testing.T) {
	everyBackend(t, func(t *testing.T, backend qzmq.Backend) {
		for _, preset := range []string{"default", "balanced", "conservative", "maximum", "fips", "performance"} {
			w := begin(t, backend, func(o *qzmq.Options) { o.Preset = preset })
			var err error
			if w.public, w.secret, err = qzmq.Keypair(preset); err != nil {
				t.Fatal(err)
			}
			server := w.bound(qzmq.REP)
			client := w.connected(qzmq.REQ, server)
			for n := range 3 {
				w.send(client, preset, fmt.Sprint(n))
				w.receive(server, preset, fmt.Sprint(n))
				w.send(server, "answer")
				w.receive(client, "answer")
			}
		}
	})
}

func TestWhoeverConnectsMayBeTheServer(t *testing.T) {
	everyBackend(t, func(t *testing.T, backend qzmq.Backend) {
		w := begin(t, backend)
		client := w.socket(qzmq.PULL, "QZMQ_SERVER", false, "QZMQ_SERVERKEY", w.public)
		if err := client.Bind("tcp://127.0.0.1:*"); err != nil {
			t.Fatal(err)
		}
		server := w.socket(qzmq.PUSH, "QZMQ_SERVER", true, "QZMQ_SECRETKEY", w.secret)
		if err := server.Connect(client.LastEndpoint()); err != nil {
			t.Fatal(err)
		}
		w.send(server, "from the server")
		w.receive(client, "from the server")
	})
}

func TestWithoutKeysItSaysWhatToSet(t *testing.T) {
	everyBackend(t, func(t *testing.T, backend qzmq.Backend) {
		w := begin(t, backend)
		for name, c := range map[string]struct {
			err  error
			says string
		}{
			"server":    {w.socket(qzmq.REP).Bind("tcp://127.0.0.1:*"), "QZMQ_SECRETKEY"},
			"client":    {w.socket(qzmq.REQ).Connect("tcp://127.0.0.1:1"), "QZMQ_SERVERKEY"},
			"transport": {w.socket(qzmq.REQ, "QZMQ_SERVERKEY", w.public).Connect("udp://127.0.0.1:1"), "PAT-11"},
			"short key": {w.socket(qzmq.REP, "QZMQ_SECRETKEY", "short").Bind("tcp://127.0.0.1:*"), "40 characters"},
			"plaintext beside a key": {w.socket(qzmq.REP, "QZMQ_SECURITY",
				qzmq.Security{Plaintext: true, SecretKey: w.secret}).Bind("tcp://127.0.0.1:*"), "nothing would be secured"},
		} {
			if c.err == nil || !strings.Contains(c.err.Error(), c.says) {
				t.Errorf("%s: %v", name, c.err)
			}
		}
	})
}

func TestOnlyAuthorisedClients(t *testing.T) {
	everyBackend(t, func(t *testing.T, backend qzmq.Backend) {
		var log bytes.Buffer
		w := begin(t, backend, func(o *qzmq.Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
		public, secret, err := qzmq.Keypair("default")
		if err != nil {
			t.Fatal(err)
		}
		server := w.bound(qzmq.PULL, "QZMQ_CLIENTKEYS", []string{public})
		stranger := w.connected(qzmq.PUSH, server)
		w.send(w.connected(qzmq.PUSH, server, "QZMQ_SECRETKEY", secret), "from a friend")
		message := w.receive(server, "from a friend")
		if backend == qzmq.BackendLibzmq && message.Properties["X-QZMQ-Peer"] != public {
			t.Error(message.Properties)
		}
		if peers := server.Peers(); len(peers) != 1 || peers[0].PublicKey != public {
			t.Error(peers)
		}
		for range 100 {
			if len(stranger.Peers()) != 0 {
				t.Fatal("a stranger was let in")
			}
			if stranger.GetMetrics().AlertsReceived > 0 {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		if got := stranger.GetMetrics().AlertsReceived; got != 1 { // and it does not come again (ALR-6)
			t.Errorf("the stranger was refused %d times", got)
		}
		if server.GetMetrics().HandshakesFailed == 0 || w.transport.Stats().HandshakesCompleted != 2 {
			t.Error(*server.GetMetrics(), w.transport.Stats())
		}
	})
}

func TestAdmit(t *testing.T) {
	everyBackend(t, func(t *testing.T, backend qzmq.Backend) {
		var mu sync.Mutex
		var asked []qzmq.AdmitRequest
		w := begin(t, backend, func(o *qzmq.Options) {
			o.Admit = func(r qzmq.AdmitRequest) qzmq.AdmitAnswer {
				mu.Lock()
				defer mu.Unlock()
				asked = append(asked, r)
				return qzmq.AdmitAnswer{Status: 200, UserID: "alice", Metadata: map[string]string{"X-Desk": "7"}}
			}
		})
		server := w.bound(qzmq.PULL)
		w.send(w.connected(qzmq.PUSH, server, "QZMQ_SECRETKEY", w.secret), "hello")
		w.receive(server, "hello")
		peers := server.Peers()
		if len(peers) != 1 || peers[0].Properties["User-Id"] != "alice" || peers[0].Properties["X-Desk"] != "7" {
			t.Error(peers)
		}
		mu.Lock()
		defer mu.Unlock()
		if len(asked) != 1 || asked[0].Address != "127.0.0.1" || asked[0].PublicKey != w.public {
			t.Error(asked)
		}
	})
}

func TestTheServerComesBack(t *testing.T) {
	everyBackend(t, func(t *testing.T, backend qzmq.Backend) {
		w, client, path := connecting(t, backend, qzmq.DEALER)
		for round := range 3 {
			server := w.socket(qzmq.DEALER, "QZMQ_SECRETKEY", w.secret)
			if err := server.Bind(path); err != nil {
				t.Fatal(err)
			}
			w.send(server, fmt.Sprint("hello ", round)) // so the connection is there
			w.receive(client, fmt.Sprint("hello ", round))
			w.send(client, fmt.Sprint("answer ", round))
			w.receive(server, fmt.Sprint("answer ", round))
			if err := server.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// A message without octets is a message, whoever sends it.
func TestEmptyMessages(t *testing.T) {
	everyBackend(t, func(t *testing.T, backend qzmq.Backend) {
		w := begin(t, backend)
		for _, pair := range [][2]qzmq.SocketType{{qzmq.PULL, qzmq.PUSH}, {qzmq.REP, qzmq.REQ}, {qzmq.DEALER, qzmq.DEALER}} {
			server := w.bound(pair[0])
			w.send(w.connected(pair[1], server), "")
			if octets, err := server.Recv(); err != nil || len(octets) != 0 {
				t.Errorf("%v got %q, %v", pair[0], octets, err)
			}
		}
	})
}

func TestSubscriptions(t *testing.T) {
	everyBackend(t, func(t *testing.T, backend qzmq.Backend) {
		w := begin(t, backend)
		pub := w.bound(qzmq.PUB)
		sub := w.connected(qzmq.SUB, pub)
		if err := sub.Subscribe("a"); err != nil {
			t.Fatal(err)
		}
		for range 200 {
			w.send(pub, "b is not wanted")
			w.send(pub, "a is")
			if message, err := sub.RecvMessage(20 * time.Millisecond); err == nil {
				if string(message.Parts[0]) != "a is" {
					t.Errorf("got %q", message.Parts)
				}
				return
			}
		}
		t.Error("nothing was published")
	})
}

func TestRoutersKnowTheirPeers(t *testing.T) {
	everyBackend(t, func(t *testing.T, backend qzmq.Backend) {
		w := begin(t, backend)
		router := w.bound(qzmq.ROUTER, "ROUTER_MANDATORY", 1)
		named := w.connected(qzmq.DEALER, router, "ROUTING_ID", "named")
		w.send(named, "hello")
		w.receive(router, "named", "hello")
		w.send(router, "named", "back")
		w.receive(named, "back")
		nameless := w.connected(qzmq.REQ, router)
		w.send(nameless, "request")
		message, err := router.RecvMessage(patience)
		if err != nil || len(message.Parts) != 3 || len(message.Parts[0]) != 5 {
			t.Fatal(message, err)
		}
		if err := router.SendMultipart(message.Parts); err != nil {
			t.Fatal(err)
		}
		w.receive(nameless, "request")
		if err := router.TrySend([][]byte{[]byte("nobody"), nil}, 0); err == nil {
			t.Error("it sent to nobody")
		}
	})
}

func TestKeysChangeWhileMessagesFlow(t *testing.T) {
	everyBackend(t, func(t *testing.T, backend qzmq.Backend) {
		w := begin(t, backend, func(o *qzmq.Options) { o.KeyRotation.MaxMessages = 10 })
		server := w.bound(qzmq.PAIR)
		client := w.connected(qzmq.PAIR, server)
		w.send(client, "first")
		w.receive(server, "first")
		for n := range 100 {
			if n%40 == 0 {
				if err := errors.Join(client.Rekey(true), server.Rekey(true)); err != nil {
					t.Fatal(err)
				}
			}
			w.send(client, fmt.Sprint(n))
			w.receive(server, fmt.Sprint(n))
			w.send(server, "and back")
			w.receive(client, "and back")
		}
		metrics := client.GetMetrics()
		if metrics.Generations < 3 || metrics.StepsSent < 3 || metrics.StepsReceived < 3 {
			t.Error(*metrics)
		}
		one, err := client.Peers()[0].Export("label", nil, 32)
		two, errTwo := server.Peers()[0].Export("label", nil, 32)
		if err != nil || errTwo != nil || !bytes.Equal(one, two) {
			t.Error(err, errTwo)
		}
	})
}

func TestSecretsDoNotShow(t *testing.T) {
	w := begin(t, qzmq.BackendGo)
	security := qzmq.Security{SecretKey: w.secret, ServerName: "name"}
	for _, text := range []string{fmt.Sprint(security), fmt.Sprintf("%+v", security), fmt.Sprintf("%#v", security)} {
		if strings.Contains(text, w.secret) {
			t.Error(text)
		}
	}
	bad := strings.Repeat("~", 40)
	err := w.socket(qzmq.REP, "QZMQ_SECRETKEY", bad).Bind("tcp://127.0.0.1:*")
	if err == nil || strings.Contains(err.Error(), bad) {
		t.Error(err)
	}
}
