package wire_test

import (
	"bytes"
	"testing"

	"qzmq.test/go/internal/wire"
)

// FuzzParse never panics, and what parses builds to the same octets.
func FuzzParse(f *testing.F) {
	f.Add([]byte{1, 2, 0, 0})
	f.Fuzz(func(t *testing.T, octets []byte) {
		for _, name := range wire.Names() {
			value, _ := wire.New(name)
			if wire.ParseHashed(octets, 32, value) != nil {
				continue
			}
			if built, err := wire.Append(nil, value); err != nil || !bytes.Equal(built, octets) {
				t.Errorf("%s %x builds to %x: %v", name, octets, built, err)
			}
		}
	})
}
