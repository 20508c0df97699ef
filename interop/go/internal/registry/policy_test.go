package registry_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/spectext"
)

// The presets and modes are the rows of spec/policies.md, in their order.
func TestPresets(t *testing.T) {
	tables := spectext.Load(t).Tables
	var order []string
	found := map[string][]registry.Suite{}
	for _, row := range tables["presets"] {
		name := row["Preset"]
		if !slices.Contains(order, name) {
			order = append(order, name)
		}
		suite, err := registry.ParseSuite(strings.Join([]string{row["KEM"], row["Signature"], row["AEAD"], row["Hash"]}, "/"))
		if err != nil {
			t.Fatal(err)
		}
		found[name] = append(found[name], suite)
		if policy, err := registry.Preset(name); err != nil || policy.Mode.String() != row["Mode"] || policy.Check() != nil {
			t.Errorf("%s is %+v: %v, %v", name, policy, err, policy.Check())
		}
	}
	if !slices.Equal(order, registry.PresetNames()) {
		t.Errorf("the presets are %v, not %v", registry.PresetNames(), order)
	}
	for name, suites := range found {
		if policy, _ := registry.Preset(name); !slices.Equal(policy.Suites, suites) {
			t.Errorf("%s is %v, not %v", name, policy.Suites, suites)
		}
	}
	if _, err := registry.Preset("Default"); err == nil || registry.DefaultPolicy().Name != "default" {
		t.Errorf("another preset (%v), or another default (%v)", err, registry.DefaultPolicy().Name)
	}
}

func TestModes(t *testing.T) {
	for _, row := range spectext.Load(t).Tables["modes"] {
		mode, err := registry.ModeOf(row["Mode"])
		if err != nil {
			t.Fatal(err)
		}
		for kem := registry.X25519; kem <= registry.X25519MLKEM1024; kem++ {
			for sig := registry.Ed25519; sig <= registry.MLDSA87; sig++ {
				got, member := registry.Suite{Kem: kem, Sig: sig}.Mode()
				want := slices.Contains(strings.Split(row["KEM"], ", "), kem.String()) &&
					slices.Contains(strings.Split(row["Signature"], ", "), sig.String())
				if (member && got == mode) != want {
					t.Errorf("%v with %v is of %v: %v", kem, sig, got, member)
				}
			}
		}
	}
	if _, err := registry.ModeOf("any"); err == nil {
		t.Error("a mode that no table lists")
	}
}

var (
	hybrid    = registry.Suite{registry.X25519MLKEM768, registry.MLDSA44, registry.AES256GCM, registry.SHA256}
	pq        = registry.Suite{registry.MLKEM768, registry.MLDSA65, registry.AES256GCM, registry.SHA256}
	classical = registry.Suite{registry.X25519, registry.Ed25519, registry.AES256GCM, registry.SHA256}
	neither   = registry.Suite{registry.X25519, registry.MLDSA44, registry.AES256GCM, registry.SHA256}
	reserved  = registry.Suite{registry.X25519MLKEM768, registry.MLDSA44, registry.AES256GCM, registry.BLAKE3}
)

func TestPolicyCheck(t *testing.T) {
	for _, c := range []struct {
		name   string
		policy registry.Policy
		broken string
	}{
		{"hybrid by default", registry.Policy{Suites: []registry.Suite{hybrid}}, ""},
		{"mixed", registry.Policy{Mixed: true, Suites: []registry.Suite{hybrid, pq, classical}}, ""},
		{"classical by name", registry.Policy{Mode: registry.Classical, Suites: []registry.Suite{classical}}, ""},
		{"no suite", registry.Policy{}, "POL-1"},
		{"twice", registry.Policy{Suites: []registry.Suite{hybrid, hybrid}}, "POL-1"},
		{"no mode", registry.Policy{Mixed: true, Suites: []registry.Suite{neither}}, "POL-7"},
		{"blake3", registry.Policy{Suites: []registry.Suite{reserved}}, "POL-7"},
		{"classical without its name", registry.Policy{Suites: []registry.Suite{classical}}, "POL-8"},
		{"two modes", registry.Policy{Suites: []registry.Suite{hybrid, pq}}, "POL-8"},
		{"raised", registry.Policy{Suites: []registry.Suite{hybrid}, Limits: registry.Limits{HalfOpen: 1025}}, "POL-16"},
	} {
		err := c.policy.Check()
		if (err == nil) != (c.broken == "") || err != nil && !strings.Contains(err.Error(), "("+c.broken+")") {
			t.Errorf("%s: %v, not %q", c.name, err, c.broken)
		}
	}
}

func TestPolicyAnswers(t *testing.T) {
	mixed := registry.Policy{Mixed: true, Suites: []registry.Suite{pq, hybrid, classical}}
	if got := mixed.Signatures(); !slices.Equal(got, []registry.SigId{registry.Ed25519, registry.MLDSA44, registry.MLDSA65, registry.MLDSA87}) {
		t.Errorf("asks for %v (POL-4)", got)
	}
	if got := (registry.Policy{Suites: []registry.Suite{hybrid}}).Signatures(); !slices.Equal(got, []registry.SigId{registry.MLDSA44, registry.MLDSA65, registry.MLDSA87}) {
		t.Errorf("asks for %v (POL-4)", got)
	}
	if got := mixed.ClassicalSuites(); !slices.Equal(got, []registry.Suite{classical}) {
		t.Errorf("warns of %v (POL-9)", got)
	}
	if got := (registry.Policy{Mode: registry.Classical, Suites: []registry.Suite{classical}}).ClassicalSuites(); got != nil {
		t.Errorf("warns of %v (POL-9)", got)
	}
	if got, chosen := mixed.Choose([]registry.Suite{{42, 42, 42, 42}, classical, hybrid, pq}, registry.MLDSA44); !chosen || got != hybrid {
		t.Errorf("chooses %v (HS-3)", got)
	}
	if got, chosen := mixed.Choose([]registry.Suite{pq, classical}, registry.MLDSA44); chosen {
		t.Errorf("chooses %v, which its key cannot sign (HS-3)", got)
	}
	if mixed.SeedAlgorithm() != registry.MLDSA65 || mixed.CheckServerKey(registry.Ed25519) != nil || mixed.CheckServerKey(registry.MLDSA87) == nil {
		t.Error("a seed is of the first suite (POL-3), a server's key of any (POL-6)")
	}
}

// Each limit may be lowered to 1, stand at its ceiling, and not go one above or below zero (POL-16).
func TestLimits(t *testing.T) {
	ceilings := registry.Ceilings()
	for i := range reflect.TypeFor[registry.Limits]().NumField() {
		set := func(change func(field reflect.Value)) registry.Limits {
			limits := ceilings
			change(reflect.ValueOf(&limits).Elem().Field(i))
			return limits
		}
		add := func(by int64) func(reflect.Value) {
			return func(field reflect.Value) {
				if field.CanUint() {
					field.SetUint(field.Uint() + uint64(by))
				} else {
					field.SetInt(field.Int() + by)
				}
			}
		}
		name := reflect.TypeFor[registry.Limits]().Field(i).Name
		if set(add(0)).Check() != nil || set(add(-1)).Check() != nil || set(add(1)).Check() == nil {
			t.Errorf("%s: its ceiling is not where Check sees it", name)
		}
		field := reflect.ValueOf(set(func(v reflect.Value) { v.SetZero() }).Effective()).Field(i)
		if field.IsZero() {
			t.Errorf("%s: zero does not stand for a ceiling", name)
		}
	}
	lowered := registry.Limits{StepRecords: 7, HandshakeTime: time.Second}.Effective()
	if lowered.StepRecords != 7 || lowered.HandshakeTime != time.Second || lowered.RecordCut != registry.DefaultCut {
		t.Errorf("effective is %+v", lowered)
	}
}

// The ceilings are those of the tables limits, bounds and early-bounds.
func TestCeilings(t *testing.T) {
	c, tables := registry.Ceilings(), spectext.Load(t).Tables
	numbers := map[string]int{
		"step_records": int(c.StepRecords), "step_octets": int(c.StepOctets), "step_blocks": int(c.StepBlocks),
		"step_seconds": int(c.StepAge / time.Second), "generation_seconds": int(c.GenerationAge / time.Second),
		"handshake_octets": c.HandshakeOctets, "handshake_seconds": int(c.HandshakeTime / time.Second),
		"half_open": c.HalfOpen, "loaded": c.Loaded, "early_octets": c.EarlyOctets, "early_records": c.EarlyRecords,
	}
	rows := 0
	for caption, column := range map[string]string{"limits": "Limit", "bounds": "Bound", "early-bounds": "Bound"} {
		for _, row := range tables[caption] {
			rows++
			if got, want := numbers[row[column]], spectext.Number(t, row["Ceiling"]); got != want {
				t.Errorf("%s is %d, not %d", row[column], got, want)
			}
		}
	}
	if rows != len(numbers) {
		t.Errorf("the tables have %d rows, not %d", rows, len(numbers))
	}
}
