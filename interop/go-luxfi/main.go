// Command qzmq-adapter-luxfi drives the published module github.com/luxfi/qzmq by the adapter protocol of
// conformance/adapter.schema.json: one JSON object a line on standard input and output.
package main

import (
	"fmt"
	"maps"
	"os"
	"runtime/debug"
	"slices"
)

const module = "github.com/luxfi/qzmq"

func main() {
	a := &adapter{sockets: map[int]*socket{}}
	if err := a.serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// describe claims what the module says that it has: every message of its sockets encrypted, by suites of all modes.
func describe() answer {
	return answer{
		"protocol": protocolVersion,
		"name":     module,
		"version":  version(),
		"capabilities": answer{
			"roles":    []string{"client", "server"},
			"patterns": slices.Sorted(maps.Keys(types)),
			"suites":   suites(),
			"bindings": []string{"zmtp"},
			"features": []string{"plaintext"},
			"vectors":  []string{},
		},
		"primitives": primitives(),
	}
}

// version is that of the module, or where its source is.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, each := range info.Deps {
		if each.Path == module && each.Replace != nil {
			return "of a checkout"
		} else if each.Path == module {
			return each.Version
		}
	}
	return "unknown"
}
