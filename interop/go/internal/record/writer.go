package record

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"qzmq.test/go/internal/keyschedule"
	"qzmq.test/go/internal/registry"
)

// ErrExhausted says that the last step is used up, or the last number: the session must be closed (ROT-6, REC-10).
// Only Last seals after it.
var ErrExhausted = errors.New("record: the keys of this session are used up")

// Writer is the sealing half of one direction.
type Writer struct {
	cipher  Cipher
	limits  registry.Limits // effective
	padding int
	data    uint32 // the stream of data records

	key        *key
	traffic    []byte
	generation uint8
	step       uint8
	steps      uint64 // how many have been taken, over all generations
	seq        uint64
	used       bool // the last number of all is used

	records uint64 // under this key
	octets  uint64
	blocks  uint64
	first   time.Time // of the key's first record

	scratch []byte // octets and their padding
}

// NewWriter makes the writer of a direction. Data is padded to multiples of padding octets, with 0 not at all (REC-13).
func NewWriter(c Cipher, limits registry.Limits, padding int) *Writer {
	return &Writer{cipher: c, limits: limits.Effective(), padding: min(padding, math.MaxUint16), data: Application}
}

// NewEarlyWriter makes the writer of a client's early data, which has one key and a sequence of its own (RES-14).
func NewEarlyWriter(c Cipher, limits registry.Limits, traffic []byte) (*Writer, error) {
	w := NewWriter(c, limits, 0)
	w.data = Early
	return w, w.Begin(0, traffic)
}

// Begin starts a generation at step 0 under its traffic secret, which the writer takes over (REC-11, ROT-14).
func (w *Writer) Begin(generation uint8, traffic []byte) error {
	return w.install(generation, 0, traffic)
}

func (w *Writer) install(generation, step uint8, traffic []byte) error {
	k, err := w.cipher.newKey(traffic)
	if err != nil {
		return err
	}
	clear(w.traffic)
	w.key, w.traffic, w.generation, w.step = k, traffic, generation, step
	w.records, w.octets, w.blocks = 0, 0, 0
	return nil
}

// Step goes over to the next step's key; the next record announces it (ROT-2). Under a key that has sealed nothing it
// does nothing: the peer would see a jump. It fails with ErrExhausted at step 255.
func (w *Writer) Step() error {
	if w.records == 0 {
		return nil
	}
	if w.step == lastStep {
		return ErrExhausted
	}
	w.steps++
	return w.install(w.generation, w.step+1, keyschedule.NextTraffic(w.cipher.Hash, w.traffic))
}

// Steps is how many steps this side has taken, over all generations.
func (w *Writer) Steps() uint64 { return w.steps }

// StartAt makes seq the number of the next record instead of 0, as if a record had been sealed under this key.
func (w *Writer) StartAt(seq uint64) { w.seq, w.records = seq, 1 }

// Generation is the one in use.
func (w *Writer) Generation() uint8 { return w.generation }

// StepNumber is the step in use.
func (w *Writer) StepNumber() uint8 { return w.step }

// Cut is how many application octets one data record takes.
func (w *Writer) Cut() int {
	most := min(uint64(w.limits.RecordCut), w.limits.StepOctets)
	if w.cipher.Aead == registry.AES256GCM {
		most = min(most, w.limits.StepBlocks*16)
	}
	if room := uint64(w.padding) + PadSize; w.padding > 0 && most > room {
		most -= room
	}
	return int(most)
}

// Size is how many octets at most the record of n application octets has.
func (w *Writer) Size(n int) int {
	if w.padding > 0 {
		n += PadSize + w.padding
	}
	return Overhead + n
}

// PlaintextSize is how many octets a data record of n application octets seals.
func (w *Writer) PlaintextSize(n int) int {
	if w.padding == 0 {
		return n
	}
	whole := n + PadSize + w.padding - 1
	return whole - whole%w.padding
}

// AppendData seals at most Cut application octets behind dst. Once the limits of a step are reached it goes over to the
// next one first (ROT-1); at the last it fails with ErrExhausted and seals nothing.
func (w *Writer) AppendData(dst, octets []byte, now time.Time) ([]byte, error) {
	if w.padding == 0 {
		return w.append(dst, registry.TypeData, w.data, 0, octets, now)
	}
	return w.append(dst, registry.TypeData, w.data, padded, w.pad(octets), now)
}

// pad puts zero octets and their number behind the octets (REC-13).
func (w *Writer) pad(octets []byte) []byte {
	size := w.PlaintextSize(len(octets))
	if cap(w.scratch) < size {
		w.scratch = make([]byte, size)
	}
	whole := w.scratch[:size]
	clear(whole[copy(whole, octets):])
	binary.BigEndian.PutUint16(whole[size-PadSize:], uint16(size-PadSize-len(octets)))
	return whole
}

// AppendControl seals a message of another type than data behind dst, as AppendData does.
func (w *Writer) AppendControl(dst []byte, t registry.MessageType, plaintext []byte, now time.Time) ([]byte, error) {
	return w.append(dst, t, Control, 0, plaintext, now)
}

// AppendLast seals the last message of the session, an alert: at the present step, whatever the limits say.
func (w *Writer) AppendLast(dst []byte, t registry.MessageType, plaintext []byte) ([]byte, error) {
	if w.used {
		return dst, ErrExhausted
	}
	return w.seal(dst, t, Control, 0, plaintext), nil
}

func (w *Writer) append(dst []byte, t registry.MessageType, stream uint32, flags byte, plaintext []byte, now time.Time) ([]byte, error) {
	if w.used {
		return dst, ErrExhausted
	}
	if w.records > 0 && w.wouldPass(len(plaintext), now) {
		if err := w.Step(); err != nil {
			return dst, err
		}
	}
	if w.records == 0 {
		w.first = now
	}
	return w.seal(dst, t, stream, flags, plaintext), nil
}

// wouldPass tells whether one more record would pass a limit of the step (table limits).
func (w *Writer) wouldPass(octets int, now time.Time) bool {
	return w.records+1 > w.limits.StepRecords ||
		w.octets+uint64(octets) > w.limits.StepOctets ||
		w.cipher.Aead == registry.AES256GCM && w.blocks+blocks(octets) > w.limits.StepBlocks ||
		now.Sub(w.first) >= w.limits.StepAge
}

// blocks counts the cipher's blocks, part of one as a whole one.
func blocks(octets int) uint64 { return uint64(octets+15) / 16 }

func (w *Writer) seal(dst []byte, t registry.MessageType, stream uint32, flags byte, plaintext []byte) []byte {
	at := len(dst)
	dst = append(dst, byte(t), flags)
	dst = binary.BigEndian.AppendUint16(dst, epoch(w.generation, w.step))
	dst = binary.BigEndian.AppendUint32(dst, stream)
	dst = binary.BigEndian.AppendUint64(dst, w.seq)
	dst = w.key.aead.Seal(dst, w.key.number(stream, w.seq), plaintext, dst[at:at+HeaderSize])
	w.used = w.seq == math.MaxUint64
	w.seq++
	w.records++
	w.octets += uint64(len(plaintext))
	w.blocks += blocks(len(plaintext))
	return dst
}

// Erase forgets the secrets, at the end of the session.
func (w *Writer) Erase() {
	clear(w.traffic)
	clear(w.scratch)
	w.key, w.used = nil, true
}
