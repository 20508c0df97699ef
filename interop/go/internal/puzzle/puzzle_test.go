package puzzle_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"testing"

	"qzmq.test/go/internal/alert"
	"qzmq.test/go/internal/keyschedule"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/puzzle"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/vectors"
	"qzmq.test/go/internal/wire"
)

type group struct {
	MaxDifficulty int `json:"max_difficulty"`
}

type test struct {
	vectors.Test
	Prologue          vectors.Octets
	ClientHello       vectors.Octets `json:"client_hello"`
	HelloRetry        vectors.Octets `json:"hello_retry"`
	SecondClientHello vectors.Octets `json:"second_client_hello"`
	PSK               vectors.Octets
}

func TestVectors(t *testing.T) {
	file := vectors.Load(t, "puzzle")
	vectors.Each(t, file, "Puzzle", play)
	file.Done(t)
}

func play(g group, test test) error {
	var first, second wire.ClientHello
	var retry wire.HelloRetry
	if err := wire.Parse(test.ClientHello[1:], &first); err != nil {
		return err
	}
	if test.HelloRetry == nil {
		return puzzle.Refuse(&first)
	}
	if err := errors.Join(puzzle.Refuse(&first), wire.Parse(test.HelloRetry[1:], &retry)); err != nil {
		return err
	}
	if test.SecondClientHello == nil {
		_, err := puzzle.Answer(&first, &retry, g.MaxDifficulty)
		return err
	}
	if err := wire.Parse(test.SecondClientHello[1:], &second); err != nil {
		return err
	}
	if err := puzzle.Check(&first, &second, &retry); err != nil {
		return err
	}
	return playClient(g, test, &first, &retry)
}

// playClient makes the second hello itself: solutions are counted up from 0, so the file's is the one that is found.
func playClient(g group, test test, first *wire.ClientHello, retry *wire.HelloRetry) error {
	answer, err := puzzle.Answer(first, retry, g.MaxDifficulty)
	if err != nil {
		return err
	}
	octets, err := wire.Append([]byte{byte(registry.TypeClientHello)}, answer)
	if err != nil {
		return err
	}
	if test.PSK != nil {
		bind(octets, test)
	}
	if !bytes.Equal(octets, test.SecondClientHello) {
		return fmt.Errorf("the second ClientHello is %x", octets)
	}
	return nil
}

// bind writes the binder over the last octets of the hello, which are its own.
func bind(octets []byte, test test) {
	h, err := primitive.NewHash(registry.SHA256)
	if err != nil {
		panic(err)
	}
	cut := len(octets) - h.Size()
	key := keyschedule.NewEarly(h, test.PSK).BinderKey()
	finished := keyschedule.ExpandLabel(h, key, "finished", nil, h.Size())
	copy(octets[cut:], h.HMAC(finished, h.Sum(test.Prologue, octets[:cut-1])))
}

func TestRoundTrip(t *testing.T) {
	hello := &wire.ClientHello{Version: 1, Random: make([]byte, 32), Suites: registry.DefaultPolicy().Suites}
	for _, difficulty := range []int{0, 1, 7, 12} {
		retry, err := puzzle.Ask(difficulty, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		second, err := puzzle.Answer(hello, retry, 12)
		if err != nil {
			t.Fatal(err)
		}
		if err := puzzle.Check(hello, second, retry); err != nil {
			t.Errorf("%d bits: %v", difficulty, err)
		}
		other, err := puzzle.Ask(difficulty, rand.Reader)
		if err != nil || bytes.Equal(other.Cookie, retry.Cookie) {
			t.Errorf("a cookie comes twice (PUZ-2): %v", err)
		}
		if got, refused := errors.AsType[*alert.Alert](puzzle.Check(hello, second, other)); !refused || got.Requirement != "PUZ-4" {
			t.Errorf("a solution of another cookie: %v", got)
		}
		if puzzle.Refuse(second) == nil || puzzle.Refuse(hello) != nil {
			t.Error("a cookie in a first hello is PUZ-5")
		}
	}
	if len(hello.Extensions) != 0 {
		t.Error("the first hello was changed")
	}
	for _, difficulty := range []int{-1, 21} {
		if _, err := puzzle.Ask(difficulty, rand.Reader); err == nil {
			t.Errorf("asks for %d bits", difficulty)
		}
	}
}

// BenchmarkSolve is what a puzzle of the default difficulty costs a client, per expected 4096 hashes.
func BenchmarkSolve(b *testing.B) {
	hello := &wire.ClientHello{Version: 1, Random: make([]byte, 32), Suites: registry.DefaultPolicy().Suites}
	for b.Loop() {
		retry, err := puzzle.Ask(12, rand.Reader)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := puzzle.Answer(hello, retry, 12); err != nil {
			b.Fatal(err)
		}
	}
}
