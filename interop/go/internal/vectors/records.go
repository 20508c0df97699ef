package vectors

import (
	"bytes"

	"qzmq.test/go/internal/record"
	"qzmq.test/go/internal/registry"
)

// direction is a receiver's past and the records that it reads now.
type direction struct {
	Aead       registry.AeadId
	Hash       hash
	Secret     Octets
	NextSecret Octets `json:"next_secret"`
	Generation uint8
	Seq        uint64
	Records    []Octets
}

func (d direction) cipher() record.Cipher { return record.Cipher{Aead: d.Aead, Hash: d.Hash.Hash} }

// open opens records one after the other.
func open(given direction) (Output, error) {
	r := record.NewReader(given.cipher())
	if err := r.Begin(given.Generation, bytes.Clone(given.Secret)); err != nil {
		return nil, err
	}
	r.StartAt(given.Seq)
	if given.NextSecret != nil {
		r.Await(bytes.Clone(given.NextSecret))
	}
	plaintexts := []Octets{}
	for i, sealed := range given.Records {
		opened, _, err := r.Open([]byte{}, sealed)
		if err != nil {
			return nil, &Refusal{i, err}
		}
		plaintexts = append(plaintexts, opened)
	}
	return Output{"plaintexts": plaintexts}, nil
}
