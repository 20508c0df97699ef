package keyschedule

import (
	"fmt"
	"io"

	"qzmq.test/go/internal/primitive"
)

// Secret is octets that do not show when they are printed (SEC-7).
type Secret []byte

// String shows nothing of the secret.
func (Secret) String() string { return "secret" }

// GoString shows nothing of the secret.
func (Secret) GoString() string { return "secret" }

// Format shows nothing of the secret, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// Early is the first stage: what both sides know before the key exchange, which is a ticket's PSK or nothing.
type Early struct {
	hash   primitive.Hash
	secret Secret // early
}

// NewEarly begins a schedule; psk is nil without a ticket.
func NewEarly(h primitive.Hash, psk []byte) Early {
	zeros := make([]byte, h.Size())
	if psk == nil {
		psk = zeros
	}
	return Early{h, h.Extract(zeros, psk)}
}

// BinderKey is binder_key (RES-9).
func (e Early) BinderKey() []byte { return derive(e.hash, e.secret, "res binder") }

// ServerProofKey is s_psk_auth (RES-11).
func (e Early) ServerProofKey() []byte { return derive(e.hash, e.secret, "s psk auth") }

// ClientTraffic is c_early, the traffic secret of early data, over prologue || ClientHello.
func (e Early) ClientTraffic(transcript ...[]byte) []byte {
	return derive(e.hash, e.secret, "c e traffic", transcript...)
}

// Erase forgets the stage, for a schedule that goes no further.
func (e Early) Erase() { clear(e.secret) }

// Handshake is the second stage: both sides share the KEM secret.
type Handshake struct {
	hash   primitive.Hash
	Client Secret // c_hs
	Server Secret // s_hs
	master Secret
}

// Handshake mixes in the KEM secret over H1 (KS-2, KS-3), and erases this stage and the secret.
func (e Early) Handshake(kemSecret []byte, h1 ...[]byte) Handshake {
	handshake := extract(e.hash, e.secret, kemSecret)
	clear(kemSecret)
	next := Handshake{
		hash:   e.hash,
		Client: derive(e.hash, handshake, "c hs traffic", h1...),
		Server: derive(e.hash, handshake, "s hs traffic", h1...),
		master: extract(e.hash, handshake, make([]byte, e.hash.Size())),
	}
	clear(handshake)
	return next
}

// extract is Extract(Derive(secret, "derived", ""), ikm), and erases the secret.
func extract(h primitive.Hash, secret, ikm []byte) []byte {
	salt := derive(h, secret, "derived")
	defer clear(salt)
	clear(secret)
	return h.Extract(salt, ikm)
}

// Generation is a stage of the session: everything that record keys come from until the next key exchange.
type Generation struct {
	hash       primitive.Hash
	transcript []byte // TH_g
	rekey      Secret
	Client     Secret // c_ap, at step 0
	Server     Secret // s_ap, at step 0
	Resumption Secret // res
	Exporter   Secret // exp, of generation 1 only
}

// First derives generation 1 over T_ck (KS-4), and erases all of this stage but the handshake traffic secrets.
func (k Handshake) First(tck ...[]byte) Generation {
	th := k.hash.Sum(tck...)
	root := ExpandLabel(k.hash, k.master, "root", th, k.hash.Size())
	clear(k.master)
	exporter := ExpandLabel(k.hash, root, "exp", th, k.hash.Size())
	g := newGeneration(k.hash, root, th)
	g.Exporter = exporter
	return g
}

// Erase forgets the handshake traffic secrets, when the session is established (KS-5).
func (k Handshake) Erase() {
	clear(k.Client)
	clear(k.Server)
	clear(k.master)
}

// Restore gives a generation as far as the next one comes from it: TH_g and rekey.
func Restore(h primitive.Hash, transcript, rekey []byte) Generation {
	return Generation{hash: h, transcript: transcript, rekey: rekey}
}

// Next derives the following generation from the messages of the exchange, from their type octet on (KS-8), and erases
// rekey, the resumption secret of this one and the KEM secret.
func (g Generation) Next(kemSecret, offer, ack []byte) Generation {
	root := g.hash.Extract(g.rekey, kemSecret)
	clear(kemSecret)
	clear(g.rekey)
	clear(g.Resumption)
	return newGeneration(g.hash, root, g.hash.Sum(g.transcript, offer, ack))
}

// Erase forgets what the next generation and tickets come from, at the end of the session.
func (g Generation) Erase() {
	clear(g.rekey)
	clear(g.Resumption)
}

// newGeneration derives from root_g over TH_g, and erases the root.
func newGeneration(h primitive.Hash, root, th []byte) Generation {
	secret := func(label string) []byte { return ExpandLabel(h, root, label, th, h.Size()) }
	g := Generation{
		hash:       h,
		transcript: th,
		rekey:      secret("rekey"),
		Client:     secret("c ap traffic"),
		Server:     secret("s ap traffic"),
		Resumption: secret("res"),
	}
	clear(root)
	return g
}
