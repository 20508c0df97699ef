package link_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"time"
)

// TestNextInto: the same octets come whatever room there is, in the caller's buffer where they fit, and the end last.
func TestNextInto(t *testing.T) {
	client, server := acquainted(t)
	for name, room := range map[string]int{"none": 0, "little": 1000, "a record's": 64 << 10, "much": 300_000, "most": 2 << 20} {
		t.Run(name, func(t *testing.T) {
			a, b := meet(t, client, server)
			sent := make([]byte, 3<<20)
			for i := range sent {
				sent[i] = byte(rand.Uint32())
			}
			go func() {
				for rest := sent; len(rest) > 0; {
					n := min(len(rest), 1+rand.IntN(200_000))
					if err := a.Write(rest[:n]); err != nil {
						t.Error(err)
						return
					}
					rest = rest[n:]
				}
				a.CloseWrite(time.Second)
			}()
			buffer, got, inside := make([]byte, room), []byte(nil), 0
			for {
				octets, err := b.NextInto(buffer)
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil || len(octets) == 0 {
					t.Fatalf("%d octets, %v", len(octets), err)
				}
				if room > 0 && &octets[0] == &buffer[0] {
					inside += len(octets)
				}
				got = append(got, octets...)
			}
			if !bytes.Equal(got, sent) {
				t.Errorf("%d octets came of %d, or others", len(got), len(sent))
			}
			if room >= 64<<10 && inside < len(sent)/2 {
				t.Errorf("only %d octets came to where they belong", inside)
			}
		})
	}
}
