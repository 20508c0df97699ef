// Package puzzle is how a server under load makes a client pay before it does public-key work itself: the question, its
// answer in a second ClientHello, and the check (spec/puzzle.md). A server keeps the first ClientHello and its own
// cookie meanwhile; nobody keeps anything across connections.
package puzzle

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"

	"qzmq.test/go/internal/alert"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/wire"
)

// CookieSize is the length of a cookie that this side draws, in octets; the structure allows 16 to 64.
const CookieSize = 32

// Ask makes a HelloRetry with a cookie that was never used before (PUZ-2). More than 20 bits is a local error (PUZ-3).
func Ask(difficulty int, rand io.Reader) (*wire.HelloRetry, error) {
	if difficulty < 0 || difficulty > registry.Ceilings().PuzzleDifficulty {
		return nil, fmt.Errorf("a puzzle of %d bits is above the ceiling of PUZ-3", difficulty)
	}
	cookie := make([]byte, CookieSize)
	if _, err := io.ReadFull(rand, cookie); err != nil {
		return nil, fmt.Errorf("no randomness: %w", err)
	}
	return &wire.HelloRetry{Version: registry.Version, Cookie: cookie, Difficulty: uint8(difficulty)}, nil
}

// Answer solves the puzzle and makes the second ClientHello: the first without early_data, with the solution last or in
// front of pre_shared_key (PUZ-4). Its binder is still the first's: the caller computes it anew. The alerts are those of
// PUZ-7, and of PUZ-3 above bound bits.
func Answer(first *wire.ClientHello, retry *wire.HelloRetry, bound int) (*wire.ClientHello, error) {
	if retry.Version != registry.Version {
		return nil, alert.New(alert.ProtocolVersion, "PUZ-7", "HelloRetry of version %d", retry.Version)
	}
	if int(retry.Difficulty) > bound {
		return nil, alert.New(alert.IllegalParameter, "PUZ-3", "a puzzle of %d bits, of %d at most", retry.Difficulty, bound)
	}
	second := without(first, registry.EarlyData)
	work, err := challenge(retry.Cookie, second)
	if err != nil {
		return nil, err
	}
	return with(second, wire.PuzzleSolution{Cookie: retry.Cookie, Solution: work.solve(int(retry.Difficulty))})
}

// Check compares the second ClientHello with the first (PUZ-4) and then tries its solution (PUZ-1); the alert is
// illegal_parameter in both.
func Check(first, second *wire.ClientHello, retry *wire.HelloRetry) error {
	solution, asked, err := find(second)
	if err != nil {
		return err
	}
	expected, err := with(without(first, registry.EarlyData), wire.PuzzleSolution{Cookie: retry.Cookie, Solution: solution.Solution})
	if err != nil {
		return err
	}
	want, err := encode(expected)
	if err != nil {
		return err
	}
	got, err := encode(second)
	if err != nil {
		return err
	}
	if !asked || !bytes.Equal(got, want) {
		return alert.New(alert.IllegalParameter, "PUZ-4", "the second ClientHello is not the first with a cookie")
	}
	work, err := challenge(retry.Cookie, without(second, registry.Cookie))
	if err != nil {
		return err
	}
	if !work.solved(solution.Solution, int(retry.Difficulty)) {
		return alert.New(alert.IllegalParameter, "PUZ-1", "a wrong solution of %d bits", retry.Difficulty)
	}
	return nil
}

// Refuse returns illegal_parameter if the first ClientHello has a cookie, which nobody asked for (PUZ-5).
func Refuse(first *wire.ClientHello) error {
	if _, has, err := find(first); has || err != nil {
		return alert.New(alert.IllegalParameter, "PUZ-5", "a cookie that nobody asked for")
	}
	return nil
}

// work is what is hashed: "qzmq1 puzzle" || cookie || SHA-256(ClientHello) || solution.
type work []byte

// challenge takes the ClientHello without its cookie.
func challenge(cookie []byte, hello *wire.ClientHello) (work, error) {
	octets, err := encode(hello)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(octets)
	w := append([]byte("qzmq1 puzzle"), cookie...)
	w = append(w, digest[:]...)
	return append(w, make([]byte, 8)...), nil
}

func (w work) solve(difficulty int) uint64 {
	for solution := uint64(0); ; solution++ {
		if w.solved(solution, difficulty) {
			return solution
		}
	}
}

// solved writes the solution into w and hashes; 64 bits are more than any difficulty.
func (w work) solved(solution uint64, difficulty int) bool {
	binary.BigEndian.PutUint64(w[len(w)-8:], solution)
	sum := sha256.Sum256(w)
	return bits.LeadingZeros64(binary.BigEndian.Uint64(sum[:])) >= difficulty
}
