package puzzle_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"testing"

	"qzmq.test/go/internal/alert"
	"qzmq.test/go/internal/puzzle"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/wire"
)

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
