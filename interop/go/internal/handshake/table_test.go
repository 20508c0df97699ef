package handshake

import (
	"bytes"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode"

	"qzmq.test/go/internal/alert"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/spectext"
)

// TestTable holds every row of the table against spec/handshake.md: the same rows, in the same order.
func TestTable(t *testing.T) {
	var got, wanted []string
	for _, r := range table {
		got = append(got, strings.Join([]string{
			r.ID, r.Role.String(), r.State.String(), r.Receives.String(), r.Epoch.String(), nameOf(r.Guard),
			names(r.Action), names(r.Sends), r.Next.String(),
		}, " | "))
	}
	for _, r := range spectext.Load(t).Tables["handshake"] {
		wanted = append(wanted, strings.Join([]string{
			r["ID"], r["Role"], r["State"], r["Receives"], r["Epoch"], r["Guard"], r["Action"], r["Sends"], r["Next"],
		}, " | "))
	}
	for i := range max(len(got), len(wanted)) {
		if i >= len(got) || i >= len(wanted) || got[i] != wanted[i] {
			t.Errorf("row %d is\n%v, in the specification\n%v", i, at(got, i), at(wanted, i))
		}
	}
}

func at(rows []string, i int) string {
	if i < len(rows) {
		return rows[i]
	}
	return "missing"
}

func names[F any](list []F) string {
	var all []string
	for _, f := range list {
		all = append(all, nameOf(f))
	}
	return strings.Join(all, ", ")
}

// nameOf gives a function's name as the specification writes it: sendClientHello is client_hello.
func nameOf(f any) string {
	v := reflect.ValueOf(f)
	if v.IsNil() {
		return ""
	}
	whole := runtime.FuncForPC(v.Pointer()).Name()
	name := strings.TrimPrefix(whole[strings.LastIndex(whole, ".")+1:], "send")
	var out []rune
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			out = append(out, '_')
		}
		out = append(out, unicode.ToLower(r))
	}
	return string(out)
}

// TestSocketTypes holds the pairs of PAT-1 against spec/patterns.md.
func TestSocketTypes(t *testing.T) {
	spec := spectext.Load(t)
	rows := slices.Concat(spec.Tables["socket-types"], spec.Tables["draft-socket-types"])
	if len(rows) != len(peers) {
		t.Errorf("%d types, %d in the specification", len(peers), len(rows))
	}
	for _, row := range rows {
		if got := strings.Join(peers[row["Socket-Type"]], ", "); got != row["Peers"] {
			t.Errorf("%s talks to %s, in the specification to %s", row["Socket-Type"], got, row["Peers"])
		}
	}
}

// TestNoRow: what has no row ends the session with unexpected_message (HS-18).
func TestNoRow(t *testing.T) {
	m := NewMachine(&Config{Role: Server}, Transport{AppendHeader: func(dst []byte, _ int) []byte { return dst }})
	m.Receive([]byte{byte(registry.TypeServerHello)})
	events := m.TakeEvents()
	ended, ok := events[len(events)-1].(Ended)
	if !ok || ended.Alert.Description != alert.UnexpectedMessage || ended.Alert.Requirement != "HS-18" {
		t.Errorf("ends with %v", events)
	}
	if out := m.TakeOutput(); !bytes.Equal(out, []byte{0x30, byte(alert.UnexpectedMessage)}) {
		t.Errorf("sends %x", out)
	}
}
