package vectors

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"testing"

	"qzmq.test/go/internal/vectortest"
)

// plays are the operations that are run on the tests of each kind and type of group. The first judges every test, the
// others run on valid ones.
var plays = map[string]map[string][]string{
	"wire":         {"Structure": {"parse", "build"}, "Greeting": {"greeting"}, "Frame": {"frame"}},
	"kem":          {"Encapsulation": {"encapsulate", "generate", "decapsulate"}, "Decapsulation": {"decapsulate"}},
	"signature":    {"Signature": {"verify", "sign"}},
	"keyschedule":  {"Schedule": {"schedule"}, "ExpandLabel": {"expand_label"}, "Exporter": {"exporter"}, "VerifyData": {"verify", "finished"}},
	"records":      {"Records": {"open"}},
	"handshake":    {"Handshake": {"follow"}},
	"rotation":     {"Chain": {"chain"}, "Records": {"open"}, "NewGeneration": {"open"}, "Generation": {"exchange"}},
	"tickets":      {"Psk": {"psk"}, "NewTicket": {"ticket"}, "Resumption": {"follow"}, "EarlyData": {"early"}},
	"puzzle":       {"Puzzle": {"puzzle"}},
	"certificates": {"Pin": {"pin"}, "RawKey": {"raw_key"}, "Chain": {"chain"}},
}

// fields are a test's, and its group's.
type fields map[string]json.RawMessage

// played is a test as Each gives it, with its fields.
type played struct {
	vectortest.Test
	fields
}

func (p *played) UnmarshalJSON(text []byte) error {
	return errors.Join(json.Unmarshal(text, &p.Test), json.Unmarshal(text, &p.fields))
}

// also plays what only tests do: this library says again what the vector has.
var also = map[string]func(all []byte) error{
	"records/Records": sealAgain, "rotation/Records": sealAgain, "rotation/NewGeneration": sealAgain, "tickets/EarlyData": sealEarlyAgain,
	"rotation/Generation": answerAgain, "handshake/Handshake": sayAgain, "tickets/Resumption": sayAgain,
	"keyschedule/ExpandLabel": labelAgain, "puzzle/Puzzle": solveAgain,
}

// TestVectors plays every test of every kind by the operations that the adapter has.
func TestVectors(t *testing.T) {
	for _, kind := range Kinds() {
		t.Run(kind, func(t *testing.T) {
			if kind != "signature" { // Hedge is for all of the process
				t.Parallel()
			}
			file := vectortest.Load(t, kind)
			for group, names := range plays[kind] {
				vectortest.Each(t, file, group, func(g fields, test played) error { return play(kind, group, names, g, test) })
			}
			file.Done(t)
		})
	}
}

// TestOperations: every operation is played.
func TestOperations(t *testing.T) {
	left := map[string]bool{}
	for kind, names := range operations {
		for name := range names {
			left[kind+" "+name] = true
		}
	}
	for kind, groups := range plays {
		for _, names := range groups {
			for _, name := range names {
				delete(left, kind+" "+name)
			}
		}
	}
	if len(left) > 0 {
		t.Errorf("not played: %v", left)
	}
	if _, err := Run("wire", "dance", nil); !errors.Is(err, ErrUnknown) {
		t.Errorf("an operation that does not exist: %v", err)
	}
}

func play(kind, group string, names []string, g fields, test played) error {
	given := maps.Clone(g)
	delete(given, "tests")
	maps.Copy(given, test.fields)
	all, err := json.Marshal(given)
	if err != nil {
		return err
	}
	if !test.Valid() {
		_, err := Run(kind, names[0], all)
		return errors.Join(err, wrongPlace(err, given))
	}
	if kind == "signature" && string(given["sig"]) != `"ed25519"` {
		var randomness Octets
		if err := json.Unmarshal(given["randomness"], &randomness); err != nil {
			return err
		}
		defer vectortest.Hedge(randomness)()
	}
	for _, name := range names {
		output, err := Run(kind, name, all)
		if err == nil {
			err = compare(output, given)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if again := also[kind+"/"+group]; again != nil {
		return again(all)
	}
	return nil
}

// wrongPlace says that a refusal is not about the last message or record.
func wrongPlace(err error, given fields) error {
	refusal, ok := errors.AsType[*Refusal](err)
	if !ok {
		return nil
	}
	var several []json.RawMessage
	for _, name := range []string{"records", "messages"} {
		if text := given[name]; text != nil {
			if err := json.Unmarshal(text, &several); err != nil {
				return err
			}
		}
	}
	if refusal.At != len(several)-1 {
		return fmt.Errorf("message %d of %d was refused", refusal.At, len(several))
	}
	return nil
}

// compare holds every field that was answered against the test's.
func compare(output Output, given fields) error {
	text, err := json.Marshal(output)
	if err != nil {
		return err
	}
	var got fields
	if err := json.Unmarshal(text, &got); err != nil {
		return err
	}
	for name := range got {
		if _, told := given[name]; !told && name == "values" {
			continue // of transcripts that were changed
		}
		var a, b any
		if err := errors.Join(decode(got[name], &a), decode(given[name], &b)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if !reflect.DeepEqual(a, b) {
			return fmt.Errorf("%s is %s, not %s", name, got[name], given[name])
		}
	}
	return nil
}
