package session_test

import (
	"bytes"
	"slices"
	"testing"

	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/session"
	"qzmq.test/go/internal/tickets"
)

// resumable gives configurations with tickets.
func resumable(t testing.TB, early bool) (client, server *session.Config) {
	client, server = configs(t, quick, false)
	client.Held, server.Issued, server.Tickets = tickets.NewCache(client.Now), tickets.NewStore(server.Now), 2
	client.EarlyData, server.EarlyData = early, early
	return client, server
}

// TestResumption: a ticket spares the signatures once, and only while nothing has changed (RES-3 to RES-6).
func TestResumption(t *testing.T) {
	for name, c := range map[string]struct {
		between func(p *pair, client, server *session.Config)
		resumed bool
	}{
		"as it was":        {func(*pair, *session.Config, *session.Config) {}, true},
		"a new generation": {func(p *pair, _, server *session.Config) { server.Tickets = 0; _ = p.client.Rekey(true); p.talk() }, false},
		"another server key": {func(_ *pair, client, server *session.Config) {
			server.Key = key(t, quick.Sig, 7)
			client.ServerPins = append(client.ServerPins, primitive.Pin(server.Key.SPKI()))
		}, false},
		"a client less": {func(_ *pair, client, server *session.Config) {
			client.Key = key(t, quick.Sig, 8)
			server.ClientPins = map[session.Pin]struct{}{primitive.Pin(client.Key.SPKI()): {}}
		}, false},
		"no more trust": {func(_ *pair, client, _ *session.Config) { client.Policy.Suites = slices.Clone(client.Policy.Suites) }, true},
		"another server suite": {func(_ *pair, _, server *session.Config) {
			server.Policy.Suites = append(slices.Clone(server.Policy.Suites), everySuite()[1])
		}, false},
		"other metadata": {func(_ *pair, client, _ *session.Config) {
			client.Metadata = []session.Property{{Name: []byte("Identity"), Value: []byte("other")}}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			client, server := resumable(t, false)
			p := established(t, client, server)
			last[session.NewTicket](t, &p.client)
			c.between(p, client, server)
			again := established(t, client, server)
			atClient, atServer := last[session.Established](t, &again.client).Peer, last[session.Established](t, &again.server).Peer
			if atClient.Resumed != c.resumed || atServer.Resumed != c.resumed {
				t.Errorf("resumed: %t at the client, %t at the server", atClient.Resumed, atServer.Resumed)
			}
			if atServer.Pin != primitive.Pin(client.Key.SPKI()) {
				t.Error("the server does not know the client")
			}
			again.exchange([]byte("hello"))
		})
	}
}

// TestEarlyData: what becomes of octets in the first flight (RES-15 to RES-19).
func TestEarlyData(t *testing.T) {
	for name, c := range map[string]struct {
		change func(server *session.Config)
		status string
	}{
		"accepted": {func(*session.Config) {}, "accepted"},
		"rejected": {func(server *session.Config) { server.EarlyData = false }, "rejected"},
		"unknown":  {func(server *session.Config) { server.Issued = tickets.NewStore(server.Now) }, "unknown"},
		"retry":    {func(server *session.Config) { server.Retry = 2; server.Difficulty = 4 }, "retry"},
	} {
		t.Run(name, func(t *testing.T) {
			client, server := resumable(t, true)
			established(t, client, server)
			c.change(server)
			p := meet(t, client, server)
			p.carry(&p.client, &p.server)
			p.carry(&p.server, &p.client)
			flight, sent := p.client.SealEarly(nil, bytes.Repeat([]byte("early"), 5000))
			if sent != 16384 {
				t.Errorf("%d octets were sent", sent)
			}
			p.server.events = append(p.server.events, p.server.Receive(flight)...)
			p.talk()
			if _, more := p.client.SealEarly(nil, []byte("late")); more != 0 {
				t.Error("early data after ClientKey")
			}
			status := map[string]session.EarlyStatus{"accepted": 1, "rejected": 2, "unknown": 3, "retry": 3}[c.status]
			if got := last[session.EarlyAnswered](t, &p.client); got.Status != status {
				t.Errorf("status %d", got.Status)
			}
			early := slices.ContainsFunc(p.server.events, func(e session.Event) bool { _, is := e.(session.EarlyReceived); return is })
			if early != (c.status == "accepted") {
				t.Errorf("early octets released: %t", early)
			}
			last[session.Established](t, &p.server)
			p.exchange([]byte("hello"))
		})
	}
}
