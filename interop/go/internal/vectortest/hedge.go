package vectortest

import (
	"bytes"
	"crypto/rand"
)

// Hedge makes crypto/rand give these octets and then fail, until the function it returns is called: the ML-DSA library
// takes rnd (FIPS 204 algorithm 2) from there and from nowhere else. A test that uses it must not be parallel.
func Hedge(octets []byte) (restore func()) {
	system := rand.Reader
	rand.Reader = bytes.NewReader(octets)
	return func() { rand.Reader = system }
}
