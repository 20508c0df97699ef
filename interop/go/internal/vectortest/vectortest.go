// Package vectortest reads the files of vectors/ for tests: the shape of Project Wycheproof, as vectors/README.md tells it.
package vectortest

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"qzmq.test/go/internal/alert"
)

// Test has what every test of every kind has. Types of tests embed it.
type Test struct {
	ID          int      `json:"tcId"`
	Comment     string   `json:"comment"`
	Flags       []string `json:"flags"`
	Result      string   `json:"result"`
	Requirement string   `json:"requirement"` // of an invalid test: what it breaks
	Alert       string   `json:"alert"`       // of an invalid test: what answers it
}

// Valid reports whether the test must pass.
func (t Test) Valid() bool { return t.Result == "valid" }

func (t Test) head() Test { return t }

// File is one file of vectors/, and which of its tests have been played.
type File struct {
	kind   string
	total  int
	groups []group
}

type group struct {
	kind   string
	body   json.RawMessage
	tests  []json.RawMessage
	played bool
}

// Load reads vectors/<kind>.json of the repository around the test's directory.
func Load(t testing.TB, kind string) *File {
	t.Helper()
	octets, err := os.ReadFile(Find(t, filepath.Join("vectors", kind+".json")))
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		NumberOfTests int
		TestGroups    []json.RawMessage
	}
	if err := json.Unmarshal(octets, &read); err != nil {
		t.Fatalf("%s.json: %v", kind, err)
	}
	file := &File{kind: kind, total: read.NumberOfTests}
	for _, body := range read.TestGroups {
		var head struct {
			Type  string
			Tests []json.RawMessage
		}
		if err := json.Unmarshal(body, &head); err != nil {
			t.Fatalf("%s.json: %v", kind, err)
		}
		file.groups = append(file.groups, group{kind: head.Type, body: body, tests: head.Tests})
	}
	return file
}

// Find returns the path of a file or directory of the repository, seen from any directory in it.
func Find(t testing.TB, name string) string {
	t.Helper()
	directory, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		path := filepath.Join(directory, name)
		if _, err := os.Stat(path); err == nil {
			return path
		}
		parent := filepath.Dir(directory)
		if parent == directory {
			t.Fatalf("%s is in no directory above this test: run it in the repository of QZMQ", name)
		}
		directory = parent
	}
}

// Each plays every test of the groups of one type. play returns nil for "valid", or the alert that it would send: both
// the description and the requirement must be the file's.
func Each[G any, T interface{ head() Test }](t *testing.T, file *File, groupType string, play func(G, T) error) {
	t.Helper()
	for i := range file.groups {
		g := &file.groups[i]
		if g.kind != groupType {
			continue
		}
		g.played = true
		var group G
		if err := json.Unmarshal(g.body, &group); err != nil {
			t.Fatalf("%s.json, a group of type %s: %v", file.kind, groupType, err)
		}
		for _, body := range g.tests {
			var test T
			if err := json.Unmarshal(body, &test); err != nil {
				t.Fatalf("%s.json, a test of type %s: %v", file.kind, groupType, err)
			}
			judge(t, file.kind, test.head(), play(group, test))
		}
	}
}

// cites are the rules that a requirement names as its own answer: the alert of one is that of the other.
var cites = map[string][]string{
	"ROT-2": {"REC-7"}, "ROT-4": {"REC-7"}, "ROT-6": {"REC-7"}, "ROT-14": {"REC-7"}, "ROT-5": {"REC-8"}, "RES-16": {"REC-8"},
	"ROT-12": {"REG-4", "REG-6"}, "ROT-13": {"REG-5", "REG-6"},
}

func judge(t *testing.T, kind string, test Test, outcome error) {
	t.Helper()
	if test.Valid() {
		if outcome != nil {
			t.Errorf("%s %d (%s): valid, but %v", kind, test.ID, test.Comment, outcome)
		}
		return
	}
	got, ok := errors.AsType[*alert.Alert](outcome)
	if !ok {
		t.Errorf("%s %d (%s): wants %s (%s), not %v", kind, test.ID, test.Comment, test.Alert, test.Requirement, outcome)
		return
	}
	cited := got.Requirement == test.Requirement || slices.Contains(cites[test.Requirement], got.Requirement)
	if got.Description.String() != test.Alert || !cited {
		t.Errorf("%s %d (%s): wants %s (%s), not %v", kind, test.ID, test.Comment, test.Alert, test.Requirement, got)
	}
}

// Done fails the test if a group of the file was not played or the file has another number of tests than it says, and
// logs how many were.
func (f *File) Done(t *testing.T) {
	t.Helper()
	played := 0
	for _, g := range f.groups {
		if !g.played {
			t.Errorf("%s.json: groups of type %s were not played", f.kind, g.kind)
			continue
		}
		played += len(g.tests)
	}
	if played != f.total {
		t.Errorf("%s.json: played %d of %d tests", f.kind, played, f.total)
	}
	t.Logf("%s.json: played %d tests", f.kind, played)
}
