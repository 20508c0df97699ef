package record

import (
	"encoding/binary"
	"math"

	"qzmq.test/go/internal/alert"
	"qzmq.test/go/internal/keyschedule"
	"qzmq.test/go/internal/registry"
)

// Header is what a record says of itself, as an opened record proved it.
type Header struct {
	Type   registry.MessageType
	Flags  uint8
	Epoch  uint16
	Stream uint32
	Seq    uint64
}

// Generation is the first octet of the epoch.
func (h Header) Generation() uint8 { return uint8(h.Epoch >> 8) }

// Reader is the opening half of one direction.
type Reader struct {
	cipher Cipher
	data   uint32 // the stream on which data records are right

	key        *key
	traffic    []byte
	generation uint8
	step       uint8
	seq        uint64
	over       bool   // every number has been received
	steps      uint64 // how many have been taken, over all generations
	fresh      bool   // nothing has come in a generation that the peer must begin at step 0 (ROT-14)

	awaited []byte // traffic secret of the generation that the peer may begin, nil if none (ROT-14)
}

// NewReader makes the reader of a direction.
func NewReader(c Cipher) *Reader { return &Reader{cipher: c, data: Application} }

// NewEarlyReader makes the reader of a client's early data.
func NewEarlyReader(c Cipher, traffic []byte) (*Reader, error) {
	r := &Reader{cipher: c, data: Early}
	return r, r.Begin(0, traffic)
}

// Begin starts a generation at step 0 under its traffic secret, which the reader takes over.
func (r *Reader) Begin(generation uint8, traffic []byte) error {
	k, err := r.cipher.newKey(traffic)
	if err != nil {
		return err
	}
	r.install(k, generation, 0, traffic)
	r.fresh = generation > 1
	return nil
}

// Await lets the peer begin the next generation with any record from now on; until it does, the present one is in use
// (ROT-14).
func (r *Reader) Await(traffic []byte) { r.awaited = traffic }

// Awaits tells whether the peer has yet to begin the generation of Await.
func (r *Reader) Awaits() bool { return r.awaited != nil }

func (r *Reader) install(k *key, generation, step uint8, traffic []byte) {
	clear(r.traffic)
	r.key, r.traffic, r.generation, r.step = k, traffic, generation, step
}

// Generation is the one in use.
func (r *Reader) Generation() uint8 { return r.generation }

// StepNumber is the step in use.
func (r *Reader) StepNumber() uint8 { return r.step }

// Steps is how many steps the peer has taken, over all generations.
func (r *Reader) Steps() uint64 { return r.steps }

// Records is how many have been received.
func (r *Reader) Records() uint64 { return r.seq }

// StartAt makes seq the number of the next record instead of 0.
func (r *Reader) StartAt(seq uint64) { r.seq = seq }

// Open checks a record in the order of REC-2 to REC-8, opens it behind dst and takes the padding off (REC-13). On an
// *alert.Alert, which ends the session, out is dst: no octet of a plaintext whose tag is wrong is seen (REC-9).
func (r *Reader) Open(dst, sealed []byte) (out []byte, h Header, err error) {
	if h, err = r.check(sealed); err != nil {
		return dst, h, err
	}
	if out, err = r.open(dst, sealed, h); err != nil {
		return dst, h, err
	}
	r.count()
	if h.Flags&padded != 0 {
		out, err = unpad(out, len(dst))
	}
	return out, h, err
}

func (r *Reader) count() {
	r.over = r.seq == math.MaxUint64
	r.seq++
}

// check is everything that can be said of a record before it is opened: REC-2 to REC-7.
func (r *Reader) check(sealed []byte) (Header, error) {
	if len(sealed) < Overhead {
		return Header{}, alert.New(alert.DecodeError, "REC-2", "a record of %d octets", len(sealed))
	}
	h := Header{
		Type:   registry.MessageType(sealed[0]),
		Flags:  sealed[1],
		Epoch:  binary.BigEndian.Uint16(sealed[2:]),
		Stream: binary.BigEndian.Uint32(sealed[4:]),
		Seq:    binary.BigEndian.Uint64(sealed[8:]),
	}
	switch {
	case len(sealed) > MaxSize:
		return h, alert.New(alert.RecordOverflow, "REC-3", "a record of %d octets", len(sealed))
	case h.Flags != 0 && (h.Type != registry.TypeData || h.Flags != padded):
		return h, alert.New(alert.IllegalParameter, "REC-4", "flags %#02x on %s", h.Flags, h.Type)
	case h.Stream != r.stream(h.Type):
		return h, alert.New(alert.IllegalParameter, "REC-5", "%s on stream %d", h.Type, h.Stream)
	case h.Seq != r.seq || r.over:
		return h, alert.New(alert.UnexpectedMessage, "REC-6", "record %d instead of %d", h.Seq, r.seq)
	case !r.permits(h.Epoch):
		return h, alert.New(alert.IllegalParameter, "REC-7", "epoch %#04x after %#04x", h.Epoch, epoch(r.generation, r.step))
	}
	return h, nil
}

func (r *Reader) stream(t registry.MessageType) uint32 {
	if t == registry.TypeData {
		return r.data
	}
	return Control
}

// permits tells which epochs may come next (REC-7, REC-11): generation 0 has no steps, and step 255 no next one (ROT-6).
func (r *Reader) permits(e uint16) bool {
	switch e {
	case epoch(r.generation, r.step):
		return true
	case epoch(r.generation, r.step+1):
		return r.generation > 0 && r.step < lastStep && !r.fresh
	case epoch(r.generation+1, 0):
		return r.awaited != nil
	}
	return false
}

// open opens a record that check has let pass; a new step or generation is installed only if it opens (ROT-5).
func (r *Reader) open(dst, sealed []byte, h Header) ([]byte, error) {
	if h.Epoch == epoch(r.generation, r.step) {
		out, err := r.key.open(dst, sealed, h)
		r.fresh = r.fresh && err != nil
		return out, err
	}
	traffic := r.awaited
	if h.Generation() == r.generation {
		traffic = keyschedule.NextTraffic(r.cipher.Hash, r.traffic)
	}
	next, err := r.cipher.newKey(traffic)
	if err != nil {
		return nil, err
	}
	out, err := next.open(dst, sealed, h)
	if err != nil {
		return nil, err
	}
	if h.Generation() != r.generation {
		r.awaited = nil
	} else {
		r.steps++
	}
	r.install(next, h.Generation(), uint8(h.Epoch), traffic)
	return out, nil
}

func (k *key) open(dst, sealed []byte, h Header) ([]byte, error) {
	out, err := k.aead.Open(dst, k.number(h.Stream, h.Seq), sealed[HeaderSize:], sealed[:HeaderSize])
	if err != nil {
		return nil, alert.New(alert.BadRecordMAC, "REC-8", "record %d does not open", h.Seq)
	}
	return out, nil
}

// unpad takes zero octets and their number off out[from:].
func unpad(out []byte, from int) ([]byte, error) {
	size := len(out) - from
	if size < PadSize {
		return out[:from], alert.New(alert.IllegalParameter, "REC-13", "padded octets without room for n")
	}
	n := int(binary.BigEndian.Uint16(out[len(out)-PadSize:]))
	if n > size-PadSize {
		return out[:from], alert.New(alert.IllegalParameter, "REC-13", "n is larger than what is there")
	}
	end := len(out) - PadSize - n
	for _, octet := range out[end : len(out)-PadSize] {
		if octet != 0 {
			return out[:from], alert.New(alert.IllegalParameter, "REC-13", "a pad octet is not zero")
		}
	}
	return out[:end], nil
}

// Erase forgets the secrets, at the end of the session.
func (r *Reader) Erase() {
	clear(r.traffic)
	clear(r.awaited)
	r.key, r.over = nil, true
}
