package spectext_test

import (
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"qzmq.test/go/internal/spectext"
	"qzmq.test/go/internal/vectortest"
)

// citation is one ID, or a range such as "REG-3 to REG-5".
var citation = regexp.MustCompile(`\b([A-Z]+)-(\d+)(?: to ([A-Z]+)-(\d+))?\b`)

// TestNames holds every requirement ID in a comment or a string of this module against spec/: each must exist, and each
// MUST of the pages that every peer implements whole must be cited where it is done, outside of tests
// and vectors.
func TestNames(t *testing.T) {
	spec := spectext.Load(t)
	families := map[string]bool{}
	for id := range spec.Requirements {
		family, _, _ := strings.Cut(id, "-")
		families[family] = true
	}
	cited := map[string]bool{}
	root := filepath.Join(vectortest.Find(t, "interop"), "go")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		for _, id := range citations(t, path) {
			family, _, _ := strings.Cut(id, "-")
			if _, exists := spec.Requirements[id]; families[family] && !exists {
				t.Errorf("%s cites %s, which spec/ does not have", path, id)
			}
			if !strings.HasSuffix(path, "_test.go") && filepath.Base(filepath.Dir(path)) != "vectors" {
				cited[id] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	uncited(t, spec, cited)
}

func uncited(t *testing.T, spec spectext.Spec, cited map[string]bool) {
	t.Helper()
	var missing []string
	total := 0
	for id, r := range spec.Requirements {
		if r.Must() && slices.Contains([]string{"handshake", "records", "keyschedule"}, r.Page) {
			total++
			if !cited[id] {
				missing = append(missing, id)
			}
		}
	}
	slices.Sort(missing)
	t.Logf("cited are %d of the %d MUST of handshake, records and keyschedule", total-len(missing), total)
	if len(missing) > 0 {
		t.Errorf("cited nowhere: %v", missing)
	}
}

// citations returns the IDs in the comments and the strings of one file.
func citations(t *testing.T, path string) []string {
	t.Helper()
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	files := token.NewFileSet()
	if _, err := parser.ParseFile(files, path, source, parser.PackageClauseOnly); err != nil {
		t.Fatal(err)
	}
	var s scanner.Scanner
	s.Init(files.AddFile(path, -1, len(source)), source, nil, scanner.ScanComments)
	var ids []string
	for {
		_, kind, text := s.Scan()
		switch kind {
		case token.EOF:
			return ids
		case token.COMMENT, token.STRING:
			ids = append(ids, expand(text)...)
		}
	}
}

// expand finds the IDs of a text, those between the ends of a range included.
func expand(text string) []string {
	var ids []string
	for _, found := range citation.FindAllStringSubmatch(text, -1) {
		first, _ := strconv.Atoi(found[2])
		last := first
		if found[3] == found[1] && found[4] != "" {
			last, _ = strconv.Atoi(found[4])
		}
		for number := first; number <= last; number++ {
			ids = append(ids, found[1]+"-"+strconv.Itoa(number))
		}
	}
	return ids
}
