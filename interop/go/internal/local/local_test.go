package local

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"
)

func TestReadyRoundTrip(t *testing.T) {
	want := []Property{{"Socket-Type", []byte("DEALER")}, {"Identity", nil}, {"X-Long", bytes.Repeat([]byte("x"), 300)}}
	frame := Ready(want)
	got, err := ParseReady(frame[9:]) // a long frame: flags and eight octets of size
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		if got[i].Name != want[i].Name || !bytes.Equal(got[i].Value, want[i].Value) {
			t.Errorf("property %d: got %q, want %q", i, got[i], want[i])
		}
	}
	for cut := range len(frame) - 10 {
		if properties, err := ParseReady(frame[9 : 10+cut]); err == nil && reflect.DeepEqual(properties, got) {
			t.Errorf("cut at %d: as if it were whole", cut)
		}
	}
}

func TestBegin(t *testing.T) {
	short := Ready([]Property{{"Socket-Type", []byte("REQ")}})
	long := Ready([]Property{{"Socket-Type", bytes.Repeat([]byte("R"), 400)}})
	curve := Greeting()
	copy(curve[12:], "CURVE")
	for _, c := range []struct {
		name string
		says []byte
		ok   bool
	}{
		{"short READY", append(Greeting(), short...), true},
		{"long READY", append(Greeting(), long...), true},
		{"CURVE", append(curve, short...), false},
		{"no signature", append(make([]byte, 64), short...), false},
		{"a message first", append(Greeting(), 0, 1, 'x'), false},
		{"endless command", append(Greeting(), 6, 1, 0, 0, 0, 0, 0, 0, 0), false},
		{"end of file", Greeting()[:20], false},
	} {
		t.Run(c.name, func(t *testing.T) {
			ours, theirs := net.Pipe()
			go func() {
				_, _ = io.ReadFull(theirs, make([]byte, GreetingSize))
				_, _ = theirs.Write(append(bytes.Clone(c.says), "traffic"...))
				_ = theirs.Close()
			}()
			properties, err := Begin(ours)
			if (err == nil) != c.ok {
				t.Fatalf("got %v, %v", properties, err)
			}
			if rest, _ := io.ReadAll(ours); c.ok && !strings.HasSuffix(string(rest), "traffic") {
				t.Errorf("%q is left", rest)
			}
			_ = ours.Close()
		})
	}
}

// inbound gives a peer's octets to an Inbound in pieces.
func inbound(pieces ...[]byte) (traffic, reply []byte, err error) {
	return new(Inbound).all(pieces...)
}

func (filter *Inbound) all(pieces ...[]byte) (traffic, reply []byte, err error) {
	for _, piece := range pieces {
		for len(piece) > 0 {
			out, answer, rest, err := filter.Step(piece)
			if err != nil {
				return nil, nil, err
			}
			traffic, reply, piece = append(traffic, out...), append(reply, answer...), rest
		}
	}
	return traffic, reply, nil
}

func peerTraffic() (from, traffic, reply []byte) {
	long := append([]byte{2, 0, 0, 0, 0, 0, 0, 1, 44}, bytes.Repeat([]byte("y"), 300)...)
	from = append(from, 0, 2, 'h', 'i', 1, 0, 0, 0)
	from = Command(from, "SUBSCRIBE", []byte("topic"))
	from = append(from, long...)
	from = Command(from, "PING", []byte("\x00\x64context"))
	from = Command(from, "CANCEL", bytes.Repeat([]byte("z"), 255))
	from = Command(from, "PONG", nil)
	from = append(from, 0, 1, 'e')
	traffic = append(traffic, "\x00\x02hi\x01\x00\x00\x00\x00\x06\x01topic"...)
	traffic = append(append(traffic, long...), 2, 0, 0, 0, 0, 0, 0, 1, 0, 0)
	traffic = append(append(traffic, bytes.Repeat([]byte("z"), 255)...), 0, 1, 'e')
	return from, traffic, Command(nil, "PONG", []byte("context"))
}

func TestInboundCutAnywhere(t *testing.T) {
	from, want, pong := peerTraffic()
	for cut := range len(from) {
		traffic, reply, err := inbound(from[:cut], from[cut:])
		if err != nil || !bytes.Equal(traffic, want) || !bytes.Equal(reply, pong) {
			t.Fatalf("cut at %d: %v\ngot  %q\nwant %q", cut, err, traffic, want)
		}
	}
	var single [][]byte
	for i := range from {
		single = append(single, from[i:i+1])
	}
	if traffic, _, err := inbound(single...); err != nil || !bytes.Equal(traffic, want) {
		t.Fatalf("octet by octet: %v, %q", err, traffic)
	}
}

func TestInboundHears(t *testing.T) {
	from, want, _ := peerTraffic()
	older := []byte("\x00\x04\x01new\x00\x04\x00old\x01\x02\x01a\x00\x01\x01") // the last is a message of two parts
	from, want = append(from, older...), append(want, older...)
	for cut := range len(from) {
		var heard []string
		filter := Inbound{Heard: func(subscribe bool, topic []byte) { heard = append(heard, fmt.Sprint(subscribe, len(topic))) }}
		traffic, _, err := filter.all(from[:cut], from[cut:])
		if err != nil || !bytes.Equal(traffic, want) || fmt.Sprint(heard) != "[true 5 false 255 true 3 false 3]" {
			t.Fatalf("cut at %d: %v\ngot  %q\nwant %q\nheard %v", cut, err, traffic, want, heard)
		}
	}
}

func TestInboundRefuses(t *testing.T) {
	for name, octets := range map[string][]byte{
		"empty command":   {4, 0},
		"name too long":   {4, 2, 5, 'P'},
		"PING, no ttl":    Command(nil, "PING", []byte{1}),
		"endless command": {6, 0, 0, 0, 0, 1, 0, 0, 0, 'x'},
	} {
		if _, _, err := inbound(octets); !errors.Is(err, errFrame) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOutboundCutAnywhere(t *testing.T) {
	topic := bytes.Repeat([]byte("t"), 300)
	var says, want []byte
	says = append(says, 0, 4, 1, 'a', 'b', 'c', 0, 1, 0, 0, 0, 0, 2, 2, 'x', 1, 2, 1, 1, 0, 2, 1, 1)
	want = Command(want, "SUBSCRIBE", []byte("abc"))
	want = Command(want, "CANCEL", nil)
	want = append(want, 0, 0, 0, 2, 2, 'x', 1, 2, 1, 1, 0, 2, 1, 1)
	says = append(append(says, 2, 0, 0, 0, 0, 0, 0, 1, 45, 1), topic...)
	want = Command(want, "SUBSCRIBE", topic)
	for cut := range len(says) {
		var filter Outbound
		got := filter.Append(filter.Append(nil, says[:cut]), says[cut:])
		if !bytes.Equal(got, want) {
			t.Fatalf("cut at %d\ngot  %q\nwant %q", cut, got, want)
		}
	}
}

func FuzzInbound(f *testing.F) {
	from, _, _ := peerTraffic()
	f.Add(from, 7)
	f.Fuzz(func(t *testing.T, octets []byte, cut int) {
		cut = max(0, min(cut, len(octets)))
		whole, _, errWhole := inbound(octets)
		parts, _, errParts := inbound(octets[:cut], octets[cut:])
		if (errWhole == nil) != (errParts == nil) || errWhole == nil && !bytes.Equal(whole, parts) {
			t.Errorf("%q, %v; cut at %d: %q, %v", whole, errWhole, cut, parts, errParts)
		}
	})
}

func TestEndsOfMessages(t *testing.T) {
	from, _, _ := peerTraffic()
	ends := map[int]bool{0: true}
	for at, more := 0, false; at < len(from); {
		header, size := frameHeader(from[at:])
		more = from[at]&flagMore != 0
		at += header + int(size)
		ends[at] = !more
	}
	for cut := range len(from) + 1 {
		var messages Messages
		if got := messages.End(from[:cut]); got != ends[cut] {
			t.Errorf("after %d octets: %v", cut, got)
		}
		if !messages.End(from[cut:]) {
			t.Errorf("cut at %d: the end was missed", cut)
		}
	}
}
