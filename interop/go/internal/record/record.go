// Package record seals and opens sealed messages: headers, order, epochs, padding, steps and the beginning of
// generations (spec/records.md, spec/rotation.md). Neither half allocates per record.
package record

import (
	"crypto/cipher"
	"encoding/binary"

	"qzmq.test/go/internal/keyschedule"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/registry"
)

// Sizes of a record's parts, in octets.
const (
	HeaderSize = 16
	Overhead   = HeaderSize + registry.TagSize
	MaxSize    = Overhead + registry.MaxRecord // of a record (REC-3)
	PadSize    = 2                             // the least that padding adds (REC-13)
)

// The streams of data records; every other type is on Control (REC-5).
const (
	Control     uint32 = 0
	Application uint32 = 1
	Early       uint32 = 0xFFFFFFFF
)

const (
	padded   = 0x01 // bit 0 of flags
	lastStep = 255
)

// Cipher is the AEAD and hash of a session's suite.
type Cipher struct {
	Aead registry.AeadId
	Hash primitive.Hash
}

// key is what records are sealed under at one step: an AEAD, and the iv with which the nonce begins.
type key struct {
	aead  cipher.AEAD
	iv    [registry.NonceSize]byte
	nonce [registry.NonceSize]byte
}

func (c Cipher) newKey(traffic []byte) (*key, error) {
	derived := keyschedule.RecordKey(c.Hash, traffic)
	defer clear(derived.Key)
	aead, err := primitive.NewAEAD(c.Aead, derived.Key)
	if err != nil {
		return nil, err
	}
	k := &key{aead: aead}
	copy(k.iv[:], derived.IV)
	return k, nil
}

// number sets the nonce of a record: iv XOR (stream_id || seq).
func (k *key) number(stream uint32, seq uint64) []byte {
	binary.BigEndian.PutUint32(k.nonce[:4], binary.BigEndian.Uint32(k.iv[:4])^stream)
	binary.BigEndian.PutUint64(k.nonce[4:], binary.BigEndian.Uint64(k.iv[4:])^seq)
	return k.nonce[:]
}

func epoch(generation, step uint8) uint16 { return uint16(generation)<<8 | uint16(step) }
