// Package vectors runs the operations of the test vectors (conformance/adapter.schema.json, docs/guide/adapter.md): each
// is a call of this library on the fields of a test and of its group.
package vectors

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/registry"
)

// Output has the fields that an operation answers, by name.
type Output map[string]any

// Octets are lower-case hexadecimal in JSON.
type Octets []byte

// UnmarshalText reads hexadecimal.
func (o *Octets) UnmarshalText(text []byte) error {
	octets, err := hex.AppendDecode([]byte{}, text)
	*o = octets
	return err
}

// MarshalText writes hexadecimal.
func (o Octets) MarshalText() ([]byte, error) { return hex.AppendEncode([]byte{}, o), nil }

// Refusal says which of several messages or records was refused, from 0; the alert is Cause.
type Refusal struct {
	At    int
	Cause error
}

// Error tells both.
func (r *Refusal) Error() string { return fmt.Sprintf("message %d: %v", r.At, r.Cause) }

// Unwrap gives the cause.
func (r *Refusal) Unwrap() error { return r.Cause }

// ErrUnknown is what Run gives for a kind or an operation that there is not.
var ErrUnknown = errors.New("no such operation on vectors")

type operation func(input []byte) (Output, error)

// operations are those of the schema's definitions input-KIND-OPERATION.
var operations = map[string]map[string]operation{
	"wire":        {"parse": on(parse), "build": on(build), "greeting": on(greeting), "frame": on(frame)},
	"kem":         {"generate": on(generate), "encapsulate": on(encapsulate), "decapsulate": on(decapsulate)},
	"signature":   {"sign": on(sign), "verify": on(verifySignature)},
	"keyschedule": {"schedule": on(schedule), "expand_label": on(expandLabel), "exporter": on(exporter), "finished": on(finished), "verify": on(verifyData)},
	"records":     {"open": on(open)},
	"handshake":   {"follow": on(follow)},
	"rotation":    {"chain": on(chain), "open": on(open), "exchange": on(exchange)},
	"tickets":     {"psk": on(psk), "ticket": on(ticket), "follow": on(follow), "early": on(early)},
	"puzzle":      {"puzzle": on(judgePuzzle)},
	"certificates": {
		"pin": on(pin), "raw_key": on(judgeCertificate), "chain": on(judgeCertificate),
	},
}

// on reads the input that an operation takes. Fields that it does not know are others'.
func on[T any](run func(T) (Output, error)) operation {
	return func(input []byte) (Output, error) {
		var given T
		if err := json.Unmarshal(input, &given); err != nil {
			return nil, fmt.Errorf("vectors: %w", err)
		}
		return run(given)
	}
}

// Kinds are the kinds of vectors, sorted. Every operation of each is there.
func Kinds() []string { return slices.Sorted(maps.Keys(operations)) }

// Run runs an operation on its input, a JSON object. What must be refused ends in an *alert.Alert, of several messages in
// a *Refusal around it.
func Run(kind, name string, input []byte) (Output, error) {
	run, known := operations[kind][name]
	if !known {
		return nil, fmt.Errorf("%w: %s, %s", ErrUnknown, kind, name)
	}
	return run(input)
}

// hash is a HashId of the registry with what it computes.
type hash struct{ primitive.Hash }

// UnmarshalText reads the hash's name.
func (h *hash) UnmarshalText(text []byte) error {
	id, err := registry.HashIdOf(string(text))
	if err == nil {
		h.Hash, err = primitive.NewHash(id)
	}
	return err
}
