package handshake

import (
	"qzmq.test/go/internal/puzzle"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/wire"
)

// retryState is the puzzle of this handshake (spec/puzzle.md).
type retryState struct {
	first  *wire.ClientHello // server: the one before HelloRetry
	asked  *wire.HelloRetry  // server: what was asked
	second *wire.ClientHello // client: the answer
}

// refuseCookie: nobody asked for one (PUZ-5).
func refuseCookie(m *Machine) error { return puzzle.Refuse(m.in.value.(*wire.ClientHello)) }

// makePuzzle draws a cookie (PUZ-2). Early data of the first ClientHello is counted and discarded.
func makePuzzle(m *Machine) (err error) {
	m.retry.first = m.in.value.(*wire.ClientHello)
	if m.hello.found.early {
		m.expectEarly()
	}
	m.retry.asked, err = puzzle.Ask(m.config.Difficulty, m.config.Rand)
	return err
}

func sendHelloRetry(m *Machine) error {
	message, err := build(registry.TypeHelloRetry, m.retry.asked)
	if err == nil {
		m.send(message)
	}
	return err
}

// checkSolution compares the second ClientHello with the first and tries its solution (PUZ-1, PUZ-4).
func checkSolution(m *Machine) error {
	m.endEarly()
	return puzzle.Check(m.retry.first, m.in.value.(*wire.ClientHello), m.retry.asked)
}

// acceptHelloRetry and solvePuzzle answer the server's question (PUZ-3, PUZ-4, PUZ-7); what became of early data of the
// first ClientHello is not known (RES-19).
func acceptHelloRetry(m *Machine) error {
	m.early.status = EarlyUnknown
	m.endEarly()
	return nil
}

func solvePuzzle(m *Machine) (err error) {
	own := *m.hello.own
	m.retry.second, err = puzzle.Answer(&own, m.in.value.(*wire.HelloRetry), m.limits.PuzzleDifficulty)
	return err
}

// sendSecondClientHello sends the first ClientHello with the solution (PUZ-4, PUZ-6).
func sendSecondClientHello(m *Machine) error { return m.sendHello(m.retry.second) }
