// Package keyschedule derives every secret, key and nonce of a session: the tables secrets and keys of
// spec/keyschedule.md. Each stage is a value; making the next one erases what it came from (KS-5, KS-8). All octets of
// prologue and messages enter, so that a difference in any gives other keys (KS-7).
package keyschedule

import (
	"errors"
	"fmt"

	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/wire"
)

// Sizes of what a traffic secret gives, in octets (table keys).
const (
	KeySize = registry.KeySize
	IVSize  = registry.NonceSize
)

// prefix stands before every label (KS-1).
const prefix = "qzmq1 "

// ExpandLabel is Expand-Label: n octets from a secret, for a label and a context of at most 255 octets. Labels and
// lengths of the schedule are fixed, so it cannot fail; Export checks what a user brings.
func ExpandLabel(h primitive.Hash, secret []byte, label string, context []byte, n int) []byte {
	info, err := hkdfLabel(label, context, n)
	if err != nil {
		panic(err)
	}
	return h.Expand(secret, info, n)
}

func hkdfLabel(label string, context []byte, n int) ([]byte, error) {
	return wire.Append(nil, &wire.HkdfLabel{Length: uint16(n), Label: []byte(prefix + label), Context: context})
}

// derive is Derive: a secret of Hash.length octets over the parts of a transcript.
func derive(h primitive.Hash, secret []byte, label string, transcript ...[]byte) []byte {
	return ExpandLabel(h, secret, label, h.Sum(transcript...), h.Size())
}

// VerifyData is the MAC with which a side confirms a transcript under a secret: HS-14 and HS-16 under the handshake
// traffic secrets, RES-9 under the binder key, RES-11 under the server's. It has Hash.length octets.
func VerifyData(h primitive.Hash, secret []byte, transcript ...[]byte) []byte {
	key := ExpandLabel(h, secret, "finished", nil, h.Size())
	defer clear(key)
	return h.HMAC(key, h.Sum(transcript...))
}

// Key is a record's key, or that of sealed_auth, and its iv.
type Key struct {
	Key []byte // 32 octets
	IV  []byte // 12 octets
}

// RecordKey gives key and iv of a traffic secret.
func RecordKey(h primitive.Hash, traffic []byte) Key {
	return Key{ExpandLabel(h, traffic, "key", nil, KeySize), ExpandLabel(h, traffic, "iv", nil, IVSize)}
}

// AuthKey gives key and nonce of sealed_auth (HS-9) from the client's handshake traffic secret.
func AuthKey(h primitive.Hash, clientHandshake []byte) Key {
	return Key{ExpandLabel(h, clientHandshake, "auth key", nil, KeySize), ExpandLabel(h, clientHandshake, "auth iv", nil, IVSize)}
}

// NextTraffic is the traffic secret of the next step (ROT-2).
func NextTraffic(h primitive.Hash, traffic []byte) []byte {
	return ExpandLabel(h, traffic, "traffic upd", nil, h.Size())
}

// TicketPSK is the PSK of a ticket from the resumption secret of a generation.
func TicketPSK(h primitive.Hash, resumption, nonce []byte) []byte {
	return ExpandLabel(h, resumption, "ticket", nonce, h.Size())
}

// Export gives n octets of keying material from the exporter secret (KS-6).
func Export(h primitive.Hash, exporter []byte, label string, context []byte, n int) ([]byte, error) {
	if n < 0 || n > h.MaxExpand() {
		return nil, fmt.Errorf("keyschedule: the exporter gives at most %d octets", h.MaxExpand())
	}
	info, err := hkdfLabel(label, h.Sum(), h.Size())
	if err != nil {
		return nil, errors.New("keyschedule: a label of the exporter has 1 to 249 octets")
	}
	secret := h.Expand(exporter, info, h.Size())
	defer clear(secret)
	return ExpandLabel(h, secret, "exporter", h.Sum(context), n), nil
}
