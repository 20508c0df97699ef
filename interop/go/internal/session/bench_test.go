package session_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/session"
	"qzmq.test/go/internal/tickets"
)

// compared are the presets by which the modes are compared.
var compared = []string{"performance", "balanced", "default", "conservative", "maximum"}

// BenchmarkHandshake is whole handshakes in memory, both sides on one core, from the greetings to both being
// established: the client known by its key, anonymous, or back with the ticket of the handshake before.
func BenchmarkHandshake(b *testing.B) {
	for _, name := range compared {
		preset, err := registry.Preset(name)
		if err != nil {
			b.Fatal(err)
		}
		client, server := configs(b, preset.Suites[0], false)
		b.Run(fmt.Sprintf("%s-%s/known", preset.Mode, name), func(b *testing.B) { shake(b, client, server) })
		anonymous, anyone := *client, *server
		anonymous.Key, anyone.ClientPins = nil, nil
		b.Run(fmt.Sprintf("%s-%s/anonymous", preset.Mode, name), func(b *testing.B) { shake(b, &anonymous, &anyone) })
		client.Held, server.Issued, server.Tickets = tickets.NewCache(client.Now), tickets.NewStore(server.Now), 1
		b.Run(fmt.Sprintf("%s-%s/resumed", preset.Mode, name), func(b *testing.B) {
			meet(b, client, server).talk()
			if p := shake(b, client, server); !last[session.Established](b, &p.server).Peer.Resumed {
				b.Fatal("the session is not resumed")
			}
		})
	}
}

func shake(b *testing.B, client, server *session.Config) *pair {
	b.ReportAllocs()
	var p *pair
	before := processorTime(b)
	for b.Loop() {
		p = meet(b, client, server)
		p.talk()
	}
	spent := processorTime(b) - before
	last[session.Established](b, &p.client)
	last[session.Established](b, &p.server)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "handshakes/s")
	b.ReportMetric(float64(b.N)/spent.Seconds(), "handshakes/cpu-s")
	return p
}

// processorTime is what this process has used so far: it says the same on a busy machine as on a quiet one.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkRecord is octets of the application from one side to the other: sealed, framed, found, opened.
func BenchmarkRecord(b *testing.B) {
	for _, name := range []string{"default", "performance"} {
		preset, err := registry.Preset(name)
		if err != nil {
			b.Fatal(err)
		}
		for _, size := range []int{64, 1024, registry.DefaultCut, 1 << 20} {
			b.Run(fmt.Sprintf("%v/%d", preset.Suites[0].Aead, size), func(b *testing.B) { pass(b, preset.Suites[0], size) })
		}
	}
}

func pass(b *testing.B, suite registry.Suite, size int) {
	client, server := configs(b, suite, false)
	p := meet(b, client, server)
	p.talk()
	octets, out := make([]byte, size), make([]byte, 0, size)
	sealed := make([]byte, 0, p.client.SealedSize(size))
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		wire, err := p.client.Seal(sealed, octets)
		if err != nil {
			b.Fatal(err)
		}
		got := out
		for len(wire) > 0 {
			var consumed int
			var events []session.Event
			if got, consumed, events = p.server.Open(got, wire); consumed == 0 || len(events) > 0 {
				b.Fatalf("%d octets are left: %v", len(wire), events)
			}
			wire = wire[consumed:]
		}
		if len(got) != size {
			b.Fatalf("%d octets arrived, not %d", len(got), size)
		}
	}
}

// BenchmarkRekey is a step of one direction, and a fresh key exchange of the session.
func BenchmarkRekey(b *testing.B) {
	for _, generation := range []bool{false, true} {
		b.Run(map[bool]string{false: "step", true: "generation"}[generation], func(b *testing.B) {
			client, server := configs(b, registry.DefaultPolicy().Suites[0], false)
			var p *pair
			for i := 0; b.Loop(); i++ {
				if i%250 == 0 { // step and generation end at 255 (ROT-6, ROT-16)
					b.StopTimer()
					p = meet(b, client, server)
					p.talk()
					b.StartTimer()
				}
				if err := p.client.Rekey(generation); err != nil {
					b.Fatal(err)
				}
				p.talk()
			}
		})
	}
}
