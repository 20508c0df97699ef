package registry_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/spectext"
)

// Every enum of spec/registries.md has the same names and numbers here, and no other has a name.
func TestEnums(t *testing.T) {
	enums := spectext.Load(t).Enums
	for name, of := range map[string]func(number int) string{
		"KemId":         func(n int) string { return registry.KemId(n).String() },
		"SigId":         func(n int) string { return registry.SigId(n).String() },
		"AeadId":        func(n int) string { return registry.AeadId(n).String() },
		"HashId":        func(n int) string { return registry.HashId(n).String() },
		"MessageType":   func(n int) string { return registry.MessageType(n).String() },
		"ExtensionType": func(n int) string { return registry.ExtensionType(n).String() },
	} {
		found := map[string]int{}
		for number := range 1 << 16 {
			if name != "ExtensionType" && number > 255 {
				break
			}
			if s := of(number); !strings.HasPrefix(s, "0x") {
				found[s] = number
			}
		}
		if !maps.Equal(found, enums[name]) {
			t.Errorf("%s is %v, not %v", name, found, enums[name])
		}
	}
}

// The tables of sizes, row by row.
func TestSizes(t *testing.T) {
	tables := spectext.Load(t).Tables
	for _, row := range tables["kems"] {
		id := read(t, registry.KemIdOf, row["KemId"])
		sizes, listed := id.Sizes()
		want := registry.KemSizes{
			PublicKey:  spectext.Number(t, row["Public key"]),
			Ciphertext: spectext.Number(t, row["Ciphertext"]),
			Secret:     spectext.Number(t, row["Secret"]),
		}
		if !listed || sizes != want {
			t.Errorf("%v is %+v, not %+v", id, sizes, want)
		}
	}
	for _, row := range tables["signatures"] {
		id := read(t, registry.SigIdOf, row["SigId"])
		sizes, listed := id.Sizes()
		want := registry.SigSizes{PublicKey: spectext.Number(t, row["Public key"]), Signature: spectext.Number(t, row["Signature"])}
		if !listed || sizes != want {
			t.Errorf("%v is %+v, not %+v", id, sizes, want)
		}
	}
	if _, listed := registry.KemId(5).Sizes(); listed || len(tables["kems"]) != 5 {
		t.Errorf("table kems has %d rows", len(tables["kems"]))
	}
}

// The tables of AEADs and hashes; what is reserved is in neither.
func TestLengths(t *testing.T) {
	tables := spectext.Load(t).Tables
	for _, row := range tables["aeads"] {
		id := read(t, registry.AeadIdOf, row["AeadId"])
		lengths := [3]int{spectext.Number(t, row["Key"]), spectext.Number(t, row["Nonce"]), spectext.Number(t, row["Tag"])}
		if !id.Listed() || lengths != [3]int{registry.KeySize, registry.NonceSize, registry.TagSize} {
			t.Errorf("%v is not %v", id, row)
		}
	}
	for _, row := range tables["hashes"] {
		id := read(t, registry.HashIdOf, row["HashId"])
		if octets, usable := id.Size(); !usable || octets != spectext.Number(t, row["Hash.length"]) {
			t.Errorf("%v has %d octets, not %v", id, octets, row)
		}
	}
	if _, usable := registry.BLAKE3.Size(); usable {
		t.Error("blake3 is reserved")
	}
}

func read[T any](t *testing.T, of func(string) (T, error), name string) T {
	t.Helper()
	id, err := of(name)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// Which message is a record, and which extension may stand where.
func TestMessagesAndExtensions(t *testing.T) {
	tables := spectext.Load(t).Tables
	protection := map[string]string{}
	for _, row := range tables["messages"] {
		protection[row["Type"]] = row["Protection"]
	}
	for number := range 256 {
		message := registry.MessageType(number)
		found := ""
		if message.Plain() {
			found += "plain"
		}
		if message.Sealed() {
			found += "sealed"
		}
		if found != protection[message.String()] {
			t.Errorf("%v is %q, not %q", message, found, protection[message.String()])
		}
	}
	legal := map[string]bool{}
	for _, row := range tables["extensions"] {
		legal[row["Message"]+" "+row["Extension"]] = true
	}
	found := map[string]bool{}
	for message := range 256 {
		for extension := range 1 << 16 {
			if e, m := registry.ExtensionType(extension), registry.MessageType(message); e.LegalIn(m) {
				found[m.String()+" "+e.String()] = true
			}
		}
	}
	if !maps.Equal(found, legal) {
		t.Errorf("legal are %v, not %v", found, legal)
	}
}

func TestGrease(t *testing.T) {
	var values []uint16
	for value := range 1 << 16 {
		if registry.IsGrease(uint16(value)) {
			values = append(values, uint16(value))
		}
	}
	for i := range 16 {
		if want := uint16(i<<12 | 0x0A00 | i<<4 | 0x0A); values[i] != want || registry.Grease(byte(i<<4|0x0F)) != want {
			t.Errorf("value %d is %#04x and %#04x, not %#04x", i, values[i], registry.Grease(byte(i<<4)), want)
		}
	}
	if len(values) != 16 {
		t.Errorf("%d values are GREASE", len(values))
	}
}

func TestSuiteText(t *testing.T) {
	suite := registry.Suite{registry.X25519MLKEM1024, registry.MLDSA87, registry.ChaCha20Poly1305, registry.SHA512}
	if suite.String() != "x25519_ml_kem_1024/ml_dsa_87/chacha20_poly1305/sha_512" {
		t.Errorf("it is called %v", suite)
	}
	if read, err := registry.ParseSuite(suite.String()); err != nil || read != suite {
		t.Errorf("read as %v: %v", read, err)
	}
	for _, text := range []string{"", "x25519", "a/ed25519/aes_256_gcm/sha_256", "x25519/a/aes_256_gcm/sha_256",
		"x25519/ed25519/a/sha_256", "x25519/ed25519/aes_256_gcm/a", "x25519/ed25519/aes_256_gcm/sha_256/"} {
		if _, err := registry.ParseSuite(text); err == nil {
			t.Errorf("%q is a suite", text)
		}
	}
	unlisted := []registry.Suite{{Kem: 5}, {Sig: 4}, {Aead: 2}, {Hash: registry.BLAKE3}, {42, 42, 42, 42}}
	if slices.ContainsFunc(unlisted, registry.Suite.Supported) || !suite.Supported() {
		t.Error("supported is what the registry lists")
	}
}
