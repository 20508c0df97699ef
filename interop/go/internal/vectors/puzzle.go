package vectors

import (
	"qzmq.test/go/internal/puzzle"
	"qzmq.test/go/internal/wire"
)

type puzzled struct {
	MaxDifficulty     int    `json:"max_difficulty"`
	ClientHello       Octets `json:"client_hello"`
	HelloRetry        Octets `json:"hello_retry"`
	SecondClientHello Octets `json:"second_client_hello"`
}

// judgePuzzle lets the last message there is be judged by its receiver.
func judgePuzzle(given puzzled) (Output, error) {
	var first, second wire.ClientHello
	var retry wire.HelloRetry
	if err := parseMessage(given.ClientHello, &first); err != nil {
		return nil, err
	}
	if err := puzzle.Refuse(&first); err != nil || given.HelloRetry == nil {
		return Output{}, err
	}
	if err := parseMessage(given.HelloRetry, &retry); err != nil {
		return nil, err
	}
	if given.SecondClientHello == nil {
		_, err := puzzle.Answer(&first, &retry, given.MaxDifficulty)
		return Output{}, err
	}
	if err := parseMessage(given.SecondClientHello, &second); err != nil {
		return nil, err
	}
	return Output{}, puzzle.Check(&first, &second, &retry)
}

// parseMessage reads the structure behind a message's type octet.
func parseMessage(message []byte, into wire.Structure) error {
	if len(message) == 0 {
		return wire.Parse(nil, into)
	}
	return wire.Parse(message[1:], into)
}
