package session_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"qzmq.test/go/internal/binding"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/session"
)

// side is one end of a connection in memory, with all that happened to it.
type side struct {
	*session.Conn
	events []session.Event
}

// pair is a client and a server that meet in memory.
type pair struct {
	t      testing.TB
	client side
	server side
	cut    int // octets that arrive at once; 0 is all
}

// clock is what both sides look at.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func key(t testing.TB, sig registry.SigId, seed byte) primitive.SigningKey {
	t.Helper()
	k, err := primitive.NewSigningKey(sig, [32]byte{seed})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func policy(suites ...registry.Suite) registry.Policy {
	return registry.Policy{Mixed: true, Suites: suites}
}

// configs gives a client and a server that trust each other, DEALER and ROUTER or raw.
func configs(t testing.TB, suite registry.Suite, raw bool) (client, server *session.Config) {
	t.Helper()
	time := &clock{now: time.Unix(1_800_000_000, 0)}
	serverKey, clientKey := key(t, suite.Sig, 1), key(t, suite.Sig, 2)
	client = &session.Config{
		Role: session.Client, Policy: policy(suite), Key: clientKey,
		ServerPins: []session.Pin{primitive.Pin(serverKey.SPKI())},
		SocketType: "DEALER", Rand: rand.Reader, Now: time.Now,
	}
	server = &session.Config{
		Role: session.Server, Policy: policy(suite), Key: serverKey,
		ClientPins: map[session.Pin]struct{}{primitive.Pin(clientKey.SPKI()): {}},
		SocketType: "ROUTER", Rand: rand.Reader, Now: time.Now,
	}
	if raw {
		client.SocketType, server.SocketType = "", ""
	}
	return client, server
}

func meet(t testing.TB, client, server *session.Config) *pair {
	t.Helper()
	create := func(config *session.Config, b binding.Binding) side {
		conn, err := session.New(config, b, "192.0.2.1")
		if err != nil {
			t.Fatal(err)
		}
		return side{Conn: conn}
	}
	b := fresh
	if server.SocketType == "" {
		b = binding.NewRaw
	}
	return &pair{t: t, client: create(client, b(false)), server: create(server, b(true))}
}

// fresh is a zmtp binding.
func fresh(server bool) binding.Binding { return binding.NewZMTP(server) }

// talk carries octets until both sides are silent.
func (p *pair) talk() {
	for p.carry(&p.client, &p.server)+p.carry(&p.server, &p.client) > 0 {
	}
}

func (p *pair) carry(from, to *side) int {
	octets := from.Output()
	for rest := octets; len(rest) > 0; {
		n := len(rest)
		if p.cut > 0 {
			n = min(n, p.cut)
		}
		to.events = append(to.events, to.Receive(rest[:n])...)
		rest = rest[n:]
	}
	return len(octets)
}

// last gives the last event of a type, and fails the test if there is none.
func last[E session.Event](t testing.TB, s *side) E {
	t.Helper()
	for i := len(s.events) - 1; i >= 0; i-- {
		if e, ok := s.events[i].(E); ok {
			return e
		}
	}
	var none E
	t.Fatalf("no %T among %v", none, s.events)
	return none
}

// exchange sends octets both ways by Seal and Open.
func (p *pair) exchange(octets []byte) {
	p.t.Helper()
	for _, way := range [][2]*side{{&p.client, &p.server}, {&p.server, &p.client}} {
		sealed, err := way[0].Seal(nil, octets)
		if err != nil {
			p.t.Fatal(err)
		}
		var got []byte
		for n := 0; n < len(sealed); {
			step := len(sealed) - n
			if p.cut > 0 {
				step = min(step, p.cut*7)
			}
			for {
				out, consumed, events := way[1].Open(got, sealed[n:n+step])
				got = out
				way[1].events = append(way[1].events, events...)
				n += consumed
				if consumed > 0 || n+step >= len(sealed) {
					break
				}
				step = min(step+1000, len(sealed)-n)
			}
		}
		if !bytes.Equal(got, octets) {
			p.t.Fatalf("%d octets arrived, not %d", len(got), len(octets))
		}
	}
}

// everySuite gives all suites of QZMQ/1 that a mode has.
func everySuite() []registry.Suite {
	var suites []registry.Suite
	for kem := range registry.KemId(5) {
		for sig := range registry.SigId(4) {
			for aead := range registry.AeadId(2) {
				for hash := range registry.HashId(3) {
					s := registry.Suite{Kem: kem, Sig: sig, Aead: aead, Hash: hash}
					if _, member := s.Mode(); member {
						suites = append(suites, s)
					}
				}
			}
		}
	}
	return suites
}

// TestEverySuite: two sides meet and talk, in every suite, both bindings, known and anonymous clients.
func TestEverySuite(t *testing.T) {
	for i, suite := range everySuite() {
		for _, raw := range []bool{false, true} {
			anonymous := i%2 == 0 != raw
			t.Run(fmt.Sprintf("%v/raw=%t/anonymous=%t", suite, raw, anonymous), func(t *testing.T) {
				client, server := configs(t, suite, raw)
				if anonymous {
					client.Key, server.ClientPins = nil, nil
				}
				p := meet(t, client, server)
				p.talk()
				atClient := last[session.Established](t, &p.client).Peer
				atServer := last[session.Established](t, &p.server).Peer
				if atClient.Pin != primitive.Pin(server.Key.SPKI()) || atServer.Suite != suite {
					t.Errorf("the client sees %v, the server %v", atClient, atServer)
				}
				if anonymous != (atServer.SPKI == nil) {
					t.Errorf("the server sees the key %x", atServer.SPKI)
				}
				p.exchange([]byte("hello"))
				p.exchange(bytes.Repeat([]byte("abc"), 50_000))
			})
		}
	}
}

// TestOctetByOctet: it does not matter how the stream is cut.
func TestOctetByOctet(t *testing.T) {
	client, server := configs(t, everySuite()[0], false)
	p := meet(t, client, server)
	p.cut = 1
	p.talk()
	last[session.Established](t, &p.client)
	p.exchange(bytes.Repeat([]byte("abc"), 5_000))
}
