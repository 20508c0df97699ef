package session_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"qzmq.test/go/internal/certificate"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/session"
)

// quick is a suite whose handshakes are cheap.
var quick = registry.Suite{Kem: registry.X25519, Sig: registry.Ed25519, Aead: registry.AES256GCM, Hash: registry.SHA256}

// established lets two sides meet.
func established(t testing.TB, client, server *session.Config) *pair {
	t.Helper()
	p := meet(t, client, server)
	p.talk()
	last[session.Established](t, &p.client)
	last[session.Established](t, &p.server)
	return p
}

// ended holds the last event of a side against a reason and an alert, none if that is empty.
func ended(t testing.TB, s *side, reason session.Reason, description string) session.Ended {
	t.Helper()
	e := last[session.Ended](t, s)
	got := ""
	if e.Alert != nil {
		got = e.Alert.Description.String()
	}
	if e.Reason != reason || got != description {
		t.Errorf("ended by %s %q, not %s %q", e.Reason, got, reason, description)
	}
	return e
}

// TestGenerations: either side begins generations, also both at once, with data under way (ROT-7 to ROT-14).
func TestGenerations(t *testing.T) {
	for name, sides := range map[string]func(p *pair) []*side{
		"client": func(p *pair) []*side { return []*side{&p.client} },
		"server": func(p *pair) []*side { return []*side{&p.server} },
		"both":   func(p *pair) []*side { return []*side{&p.client, &p.server} },
	} {
		t.Run(name, func(t *testing.T) {
			client, server := configs(t, quick, false)
			p := established(t, client, server)
			for generation := uint8(2); generation < 6; generation++ {
				for _, s := range sides(p) {
					if err := s.Rekey(true); err != nil {
						t.Fatal(err)
					}
				}
				under, err := p.client.Seal(nil, []byte("under way"))
				if err != nil {
					t.Fatal(err)
				}
				p.server.events = append(p.server.events, p.server.Receive(under)...)
				p.talk()
				if got := last[session.Received](t, &p.server); string(got.Octets) != "under way" {
					t.Errorf("%q arrived", got.Octets)
				}
				for _, s := range []*side{&p.client, &p.server} {
					if got := last[session.GenerationBegan](t, s); got.Generation != generation {
						t.Errorf("generation %d, not %d", got.Generation, generation)
					}
				}
				p.exchange([]byte("after"))
			}
		})
	}
}

// TestSteps: a side whose keys last for one record steps with each, asks for generations at step 192, and closes when
// the last generation's last step is used up (ROT-1, ROT-6, ROT-15, ROT-16).
func TestSteps(t *testing.T) {
	client, server := configs(t, quick, false)
	client.Policy.Limits.StepRecords = 1
	p := established(t, client, server)
	var err error
	for n := 0; err == nil; n++ {
		var sealed []byte
		sealed, err = p.client.Seal(nil, []byte{byte(n)})
		p.server.events = append(p.server.events[:0], p.server.Receive(sealed)...)
		if err == nil && !bytes.Equal(last[session.Received](t, &p.server).Octets, []byte{byte(n)}) {
			t.Fatalf("record %d did not arrive", n)
		}
		p.talk()
		if n > 256*256 {
			t.Fatal("the keys are never used up")
		}
	}
	if !errors.Is(err, session.ErrExhausted) {
		t.Error(err)
	}
	if got := last[session.GenerationBegan](t, &p.client); got.Generation != 255 {
		t.Errorf("the last generation was %d", got.Generation)
	}
	ended(t, &p.client, session.Closed, "")
	ended(t, &p.server, session.Closed, "")
}

// TestAge: a generation is renewed when it is an hour old (ROT-15), by whoever looks at the clock.
func TestAge(t *testing.T) {
	for _, role := range []session.Role{session.Client, session.Server} {
		client, server := configs(t, quick, false)
		at := &clock{now: time.Unix(1_800_000_000, 0)}
		client.Now, server.Now = at.Now, at.Now
		p := established(t, client, server)
		s := map[session.Role]*side{session.Client: &p.client, session.Server: &p.server}[role]
		deadline, any := s.NextDeadline()
		if !any || deadline != at.now.Add(time.Hour) {
			t.Errorf("the deadline is %v", deadline)
		}
		at.now = deadline.Add(-1)
		if s.Tick(); s.Output() != nil {
			t.Error("renewed too early")
		}
		at.now = deadline
		s.events = append(s.events, s.Tick()...)
		p.talk()
		last[session.GenerationBegan](t, s)
		p.exchange([]byte("after"))
	}
}

// TestClose: close_notify both ways; nothing is lost before it, nothing sent after it (CLS-1 to CLS-4).
func TestClose(t *testing.T) {
	client, server := configs(t, quick, false)
	p := established(t, client, server)
	tail, err := p.client.Seal(nil, []byte("tail"))
	if err != nil {
		t.Fatal(err)
	}
	p.client.events = append(p.client.events, p.client.Close()...)
	p.server.events = append(p.server.events, p.server.Receive(tail)...)
	if _, err := p.client.Seal(nil, []byte("late")); !errors.Is(err, session.ErrNotEstablished) {
		t.Errorf("sealed after close: %v", err)
	}
	p.talk()
	if got := last[session.Received](t, &p.server); string(got.Octets) != "tail" {
		t.Errorf("%q arrived", got.Octets)
	}
	ended(t, &p.client, session.Closed, "")
	ended(t, &p.server, session.Closed, "")
	if events := p.server.EndOfFile(); events != nil {
		t.Errorf("after the end: %v", events)
	}
}

// TestTruncated: the end of the stream is not the end of the session (CLS-4).
func TestTruncated(t *testing.T) {
	client, server := configs(t, quick, false)
	p := established(t, client, server)
	p.server.events = append(p.server.events, p.server.EndOfFile()...)
	ended(t, &p.server, session.Truncated, "")
}

// refusal is a change to two sides that trusted each other, and what it leads to.
type refusal struct {
	change      func(client, server *session.Config)
	atClient    session.Reason
	atServer    session.Reason
	description string
	sealed      bool
	final       bool
}

var refusals = map[string]refusal{
	"unknown server": {
		change:   func(client, _ *session.Config) { client.ServerPins = []session.Pin{{}} },
		atClient: session.Alerted, atServer: session.PeerAlert, description: "certificate_unknown",
	},
	"unknown client": {
		change:   func(_, server *session.Config) { server.ClientPins = map[session.Pin]struct{}{} },
		atClient: session.PeerAlert, atServer: session.Alerted, description: "access_denied", sealed: true, final: true,
	},
	"anonymous client": {
		change:   func(client, _ *session.Config) { client.Key = nil },
		atClient: session.PeerAlert, atServer: session.Alerted, description: "certificate_required", sealed: true, final: true,
	},
	"no common suite": {
		change: func(client, _ *session.Config) {
			client.Policy = policy(registry.Suite{Kem: quick.Kem, Sig: quick.Sig, Aead: registry.ChaCha20Poly1305, Hash: quick.Hash})
		},
		atClient: session.PeerAlert, atServer: session.Alerted, description: "handshake_failure",
	},
	"wrong socket type": {
		change:   func(client, _ *session.Config) { client.SocketType = "SUB" },
		atClient: session.PeerAlert, atServer: session.Alerted, description: "handshake_failure", sealed: true, final: true,
	},
	"identity": {
		change: func(client, server *session.Config) {
			client.Metadata = []session.Property{{Name: []byte("Identity"), Value: []byte("me")}}
			server.IdentityIsPin = true
		},
		atClient: session.PeerAlert, atServer: session.Alerted, description: "access_denied", sealed: true, final: true,
	},
}

// TestRefusals: who is refused learns why, in the clear or sealed, and whether to come again (ALR-1, ALR-2, ALR-6).
func TestRefusals(t *testing.T) {
	for name, c := range refusals {
		t.Run(name, func(t *testing.T) {
			client, server := configs(t, quick, false)
			c.change(client, server)
			p := meet(t, client, server)
			p.talk()
			atClient := ended(t, &p.client, c.atClient, c.description)
			ended(t, &p.server, c.atServer, c.description)
			if atClient.Authenticated != c.sealed || atClient.Final != c.final {
				t.Errorf("authenticated %t, final %t", atClient.Authenticated, atClient.Final)
			}
		})
	}
}

// TestPeerSteps: a side that only receives asks for a generation when the peer's steps are many and the peer does not
// (ROT-15).
func TestPeerSteps(t *testing.T) {
	client, server := configs(t, quick, false)
	at := &clock{now: time.Unix(1_800_000_000, 0)}
	client.Now, server.Now = at.Now, at.Now
	p := established(t, client, server)
	for range 193 { // a key that has sealed nothing does not step
		if err := p.client.Rekey(false); err != nil {
			t.Fatal(err)
		}
		p.carry(&p.client, &p.server)
	}
	deadline, any := p.server.NextDeadline()
	if !any || deadline.Sub(at.now) > time.Minute || deadline == at.now {
		t.Fatalf("the server looks again in %v", deadline.Sub(at.now))
	}
	at.now = deadline
	p.server.events = append(p.server.events, p.server.Tick()...)
	p.talk()
	last[session.GenerationBegan](t, &p.server)
	p.exchange([]byte("after"))
}

// TestTimeout: a handshake that takes too long ends, in silence before the greetings (SEC-2).
func TestTimeout(t *testing.T) {
	client, server := configs(t, quick, false)
	at := &clock{now: time.Unix(1_800_000_000, 0)}
	client.Now, server.Now = at.Now, at.Now
	p := meet(t, client, server)
	p.carry(&p.client, &p.server)
	deadline, _ := p.server.NextDeadline()
	at.now = deadline
	p.server.events, p.client.events = p.server.Tick(), p.client.Tick()
	ended(t, &p.server, session.Alerted, "user_canceled")
	ended(t, &p.client, session.Alerted, "user_canceled")
	if out := p.server.Output(); !bytes.HasSuffix(out, []byte("\x04QZMQ\x30\x5a")) {
		t.Errorf("the server sends %x", out)
	}
	if out := p.client.Output(); out != nil {
		t.Errorf("the client, who has seen no greeting, sends %x", out)
	}
	if _, any := p.client.NextDeadline(); any {
		t.Error("a deadline after the end")
	}
}

// TestGreeting: a wrong greeting ends the connection in silence (ZMTP-2).
func TestGreeting(t *testing.T) {
	client, server := configs(t, quick, false)
	p := meet(t, client, server)
	p.server.Output()
	p.server.events = p.server.Receive([]byte("GET / HTTP/1.1\r\n"))
	ended(t, &p.server, session.Alerted, "decode_error")
	if out := p.server.Output(); out != nil {
		t.Errorf("the server answers %x", out)
	}
}

// TestPuzzle: a client pays before the server works (PUZ-1 to PUZ-6), and leaves if it is too much (PUZ-3).
func TestPuzzle(t *testing.T) {
	client, server := configs(t, quick, true)
	server.Retry, server.Difficulty = 2, 10
	established(t, client, server).exchange([]byte("hello"))
	client.Policy.Limits.PuzzleDifficulty = 9
	p := meet(t, client, server)
	p.talk()
	ended(t, &p.client, session.Alerted, "illegal_parameter")
}

// TestExport: both sides give the same keying material, and none before they are established (KS-6).
func TestExport(t *testing.T) {
	client, server := configs(t, quick, false)
	p := meet(t, client, server)
	if _, err := p.client.Export("label", nil, 32); err == nil {
		t.Error("exported before the handshake")
	}
	p.talk()
	a, err := p.client.Export("label", []byte("context"), 48)
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.server.Export("label", []byte("context"), 48)
	if err != nil || !bytes.Equal(a, b) {
		t.Errorf("%x at the client, %x at the server: %v", a, b, err)
	}
}

// TestLocalErrors: what keeps a session from starting (CERT-6, PAT-2, POL-6).
func TestLocalErrors(t *testing.T) {
	for name, change := range map[string]func(client, server *session.Config){
		"no pin":             func(client, _ *session.Config) { client.ServerPins = nil },
		"no name":            func(client, _ *session.Config) { client.Anchors = certificate.Anchors{{}} },
		"no suite":           func(client, _ *session.Config) { client.Policy.Suites = nil },
		"raw with a type":    func(client, _ *session.Config) { client.SocketType = "" },
		"no randomness":      func(client, _ *session.Config) { client.Rand = nil },
		"a large difficulty": func(client, _ *session.Config) { client.Difficulty = 21 },
	} {
		client, server := configs(t, quick, false)
		change(client, server)
		if _, err := session.New(client, fresh(false), ""); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	_, server := configs(t, quick, false)
	server.Key = nil
	if _, err := session.New(server, fresh(true), ""); err == nil {
		t.Error("a server without a key: no error")
	}
}
