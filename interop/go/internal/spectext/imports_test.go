package spectext_test

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"qzmq.test/go/internal/vectortest"
)

const module = "qzmq.test/go"

var quoted = regexp.MustCompile("`([a-z0-9/-]+)`")

// TestImports holds the table "What is where" of README.md against the packages: each has its row and imports only
// those of its own row or above. What only tests import is not looked at.
func TestImports(t *testing.T) {
	root := filepath.Join(vectortest.Find(t, "interop"), "go")
	rows := readRows(t, root)
	directories, err := filepath.Glob(filepath.Join(root, "internal", "*"))
	if err != nil {
		t.Fatal(err)
	}
	commands, err := filepath.Glob(filepath.Join(root, "cmd", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, directory := range append(append(directories, commands...), root) {
		name, _ := filepath.Rel(root, directory)
		if name == "." {
			name = "qzmq"
		}
		row, known := rows[name]
		if !known {
			t.Errorf("README.md has no row for %s", name)
			continue
		}
		for _, imported := range imports(t, directory) {
			if at, known := rows[imported]; !known || at > row {
				t.Errorf("%s imports %s, whose row is not above", name, imported)
			}
		}
	}
}

// readRows numbers the packages of README.md by their rows.
func readRows(t *testing.T, root string) map[string]int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]int{}
	for number, line := range strings.Split(string(text), "\n") {
		cell, _, _ := strings.Cut(strings.TrimPrefix(line, "|"), "|")
		if !strings.HasPrefix(line, "|") {
			continue
		}
		for _, found := range quoted.FindAllStringSubmatch(cell, -1) {
			rows[found[1]] = number
		}
	}
	return rows
}

// imports returns the packages of this module that the directory's files import.
func imports(t *testing.T, directory string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(directory, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if name == module {
				found = append(found, "qzmq")
			} else if rest, ours := strings.CutPrefix(name, module+"/"); ours {
				found = append(found, rest)
			}
		}
	}
	return found
}
