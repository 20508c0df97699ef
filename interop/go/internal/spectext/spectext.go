// Package spectext reads the pages of spec/ for tests, so that a list in Go and the table it was written from are held
// against each other: requirements, tables and enums (spec/notation.md).
package spectext

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"qzmq.test/go/internal/vectortest"
)

// Spec is what programs read of spec/*.md.
type Spec struct {
	Requirements map[string]Requirement         // by ID
	Tables       map[string][]map[string]string // by caption; each row by column
	Enums        map[string]map[string]int      // by name; each code point by its name
}

// Requirement is a paragraph that begins with its bold ID, or a row of a table with a column ID.
type Requirement struct {
	Page string // the file's name without .md
	Text string
}

// Must reports whether the requirement binds every implementation, as a row of a table does.
func (r Requirement) Must() bool {
	return strings.Contains(r.Text, "MUST") || strings.HasPrefix(r.Text, "|")
}

var (
	requirement = regexp.MustCompile(`^\*\*([A-Z]+-\d+)\*\* `)
	enum        = regexp.MustCompile(`(?s)enum \{(.*?)\} (\w+);`)
	codePoint   = regexp.MustCompile(`(\w+)\((0x[0-9A-Fa-f]+|\d+)\)`)
	unescaped   = regexp.MustCompile(`(^|[^\\])\|`)
)

// Load reads all pages.
func Load(t testing.TB) Spec {
	t.Helper()
	pages, err := filepath.Glob(filepath.Join(vectortest.Find(t, "spec"), "*.md"))
	if err != nil || len(pages) == 0 {
		t.Fatalf("spec/ has no pages: %v", err)
	}
	spec := Spec{map[string]Requirement{}, map[string][]map[string]string{}, map[string]map[string]int{}}
	for _, path := range pages {
		octets, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		spec.read(strings.TrimSuffix(filepath.Base(path), ".md"), string(octets))
	}
	return spec
}

func (s Spec) read(page, text string) {
	for _, found := range enum.FindAllStringSubmatch(text, -1) {
		values := map[string]int{}
		for _, point := range codePoint.FindAllStringSubmatch(found[1], -1) {
			number, _ := strconv.ParseInt(point[2], 0, 32) // the pattern admits numbers only
			values[point[1]] = int(number)
		}
		s.Enums[found[2]] = values
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if found := requirement.FindStringSubmatch(line); found != nil {
			end := i + slices.Index(append(lines[i:len(lines):len(lines)], ""), "")
			s.Requirements[found[1]] = Requirement{page, strings.Join(lines[i:end], " ")}
		}
		if caption, found := strings.CutPrefix(line, "Table: "); found {
			s.table(page, caption, lines[i+1:])
		}
	}
}

// table reads the Markdown table that follows its caption, an empty line between.
func (s Spec) table(page, caption string, lines []string) {
	for len(lines) > 0 && lines[0] == "" {
		lines = lines[1:]
	}
	if len(lines) < 2 {
		return
	}
	header := cells(lines[0])
	for _, line := range lines[2:] {
		if !strings.HasPrefix(line, "|") {
			return
		}
		row := map[string]string{}
		for i, cell := range cells(line) {
			row[header[i]] = cell
		}
		s.Tables[caption] = append(s.Tables[caption], row)
		if id := row["ID"]; id != "" {
			s.Requirements[id] = Requirement{page, line}
		}
	}
}

func cells(line string) []string {
	var row []string
	line = strings.TrimSuffix(strings.TrimPrefix(line, "|"), "|")
	for _, cell := range strings.Split(unescaped.ReplaceAllString(line, "$1\x00"), "\x00") {
		row = append(row, strings.ReplaceAll(strings.TrimSpace(cell), `\|`, "|"))
	}
	return row
}

// Number reads a number of the notation: decimal, or a power such as 2^16.
func Number(t testing.TB, text string) int {
	t.Helper()
	base, exponent, power := strings.Cut(text, "^")
	number, err := strconv.Atoi(base)
	if err == nil && power {
		var bits int
		if bits, err = strconv.Atoi(exponent); number == 2 {
			number = 1 << bits
		}
	}
	if err != nil {
		t.Fatalf("%q is no number: %v", text, err)
	}
	return number
}
