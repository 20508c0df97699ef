//go:build cgo

package qzmq_test

import (
	"crypto/rand"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	zmq "github.com/pebbe/zmq4"
	"golang.org/x/crypto/nacl/box"

	qzmq "qzmq.test/go"
	"qzmq.test/go/internal/local"
	"qzmq.test/go/internal/spectext"
)

// forger is a CURVE client (RFC 26) that says of itself what it wants; libzmq's lets nobody send just any property.
type forger struct {
	*testing.T
	net.Conn
	server, serverShort      [32]byte
	public, secret           *[32]byte
	publicShort, secretShort *[32]byte
	nonce                    uint64
	cookie                   []byte
}

func newForger(w curveWorld, endpoint string) *forger {
	w.Helper()
	f := &forger{T: w.T, server: decoded(w.serverPublic)}
	public, secret := decoded(w.clientPublic), decoded(w.clientSecret)
	f.public, f.secret = &public, &secret
	var err error
	if f.publicShort, f.secretShort, err = box.GenerateKey(rand.Reader); err == nil {
		f.Conn, err = net.Dial("tcp", endpoint[len("tcp://"):])
	}
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = f.Close() })
	_ = f.SetDeadline(time.Now().Add(patience))
	return f
}

func decoded(key string) [32]byte { return [32]byte([]byte(zmq.Z85decode(key))) }

// seal boxes octets under a short nonce, which it puts in front.
func (f *forger) seal(prefix string, octets []byte, to, from *[32]byte) []byte {
	f.nonce++
	short := binary.BigEndian.AppendUint64(nil, f.nonce)
	return append(short, box.Seal(nil, octets, nonceOf(prefix, short), to, from)...)
}

func nonceOf(prefix string, rest []byte) *[24]byte {
	nonce := [24]byte(append([]byte(prefix), rest...))
	return &nonce
}

// hear reads one command, and returns what is behind its name.
func (f *forger) hear(name string) []byte {
	f.Helper()
	header := make([]byte, 2)
	_, err := io.ReadFull(f, header)
	body := make([]byte, header[1])
	if err == nil {
		_, err = io.ReadFull(f, body)
	}
	if err != nil || header[0] != 4 || string(body[1:1+body[0]]) != name {
		f.Fatalf("instead of %s: %q %q, %v", name, header, body, err)
	}
	return body[1+len(name):]
}

func (f *forger) say(octets []byte) {
	f.Helper()
	if _, err := f.Write(octets); err != nil {
		f.Fatal(err)
	}
}

// greet exchanges greetings, HELLO and WELCOME.
func (f *forger) greet() {
	f.Helper()
	greeting := append([]byte{0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 1}, "CURVE"...)
	f.say(append(greeting, make([]byte, 64-len(greeting))...))
	if _, err := io.ReadFull(f, make([]byte, 64)); err != nil {
		f.Fatal(err)
	}
	hello := append(append([]byte{1, 0}, make([]byte, 72)...), f.publicShort[:]...)
	f.say(local.Command(nil, "HELLO", append(hello, f.seal("CurveZMQHELLO---", make([]byte, 64), &f.server, f.secretShort)...)))
	welcome := f.hear("WELCOME")
	opened, ok := box.Open(nil, welcome[16:], nonceOf("WELCOME-", welcome[:16]), &f.server, f.secretShort)
	if !ok {
		f.Fatal("WELCOME does not open")
	}
	f.serverShort, f.cookie = [32]byte(opened[:32]), opened[32:]
}

// initiate sends INITIATE with that metadata, and hears READY.
func (f *forger) initiate(metadata []byte) {
	f.Helper()
	fresh := make([]byte, 16)
	vouch := box.Seal(nil, append(f.publicShort[:], f.server[:]...), nonceOf("VOUCH---", fresh), &f.serverShort, f.secret)
	octets := append(append(append(f.public[:], fresh...), vouch...), metadata...)
	sealed := f.seal("CurveZMQINITIATE", octets, &f.serverShort, f.secretShort)
	f.say(local.Command(nil, "INITIATE", append(f.cookie, sealed...)))
	f.hear("READY")
}

// message sends a message.
func (f *forger) message(text string) {
	f.Helper()
	sealed := f.seal("CurveZMQMESSAGEC", append([]byte{0}, text...), &f.serverShort, f.secretShort)
	frame := append([]byte("\x07MESSAGE"), sealed...)
	f.say(append([]byte{0, byte(len(frame))}, frame...))
}

// TestCurveForgesNothing: of a CURVE client the properties that this side adds are this side's, whatever it says
// (ZMTP-16).
func TestCurveForgesNothing(t *testing.T) {
	w := beginCurve(t)
	server := w.both(qzmq.PULL)
	f := newForger(w, server.LastEndpoint())
	f.greet()
	f.initiate(local.Metadata([]local.Property{
		{Name: "Socket-Type", Value: []byte("PUSH")}, {Name: "X-Own", Value: []byte("mine")},
		{Name: "User-Id", Value: []byte("root")}, {Name: "X-QZMQ-Mechanism", Value: []byte("QZMQ")},
		{Name: "X-QZMQ-Peer", Value: []byte(w.public)}, {Name: "X-QZMQ-Peer-Address", Value: []byte("::1")},
		{Name: "X-QZMQ-Suite", Value: []byte("X25519")},
	}))
	f.message("forged")
	message := w.receive(server, "forged")
	set := map[string]string{"User-Id": w.clientPublic, "X-QZMQ-Mechanism": "CURVE"} // all others are empty
	for _, row := range spectext.Load(t).Tables["added-properties"] {
		name := row["Property"]
		if got, has := message.Properties[name]; got != set[name] || !has {
			t.Errorf("%s is %q, %v", name, got, has)
		}
	}
}
