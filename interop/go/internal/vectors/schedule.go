package vectors

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"qzmq.test/go/internal/keyschedule"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/registry"
)

// Schedule is what a session's key schedule starts from: octets of H1, T_ck and prologue || ClientHello.
type Schedule struct {
	PSK       Octets `json:"psk"`
	KemSecret Octets `json:"kem_secret"`
	H1        Octets `json:"h1"`
	TCK       Octets `json:"t_ck"`
	Hello     Octets `json:"hello"`
}

// Compare walks the stages of the schedule and holds every value on the way against the file's, by the names of the
// tables secrets and keys.
func (s Schedule) Compare(h primitive.Hash, values map[string]Octets) error {
	got := s.walk(h)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if name == "kem_secret" {
			continue
		}
		if !bytes.Equal(got[name], values[name]) {
			return fmt.Errorf("%s is %x, not %x", name, got[name], values[name])
		}
	}
	return nil
}

func (s Schedule) walk(h primitive.Hash) map[string][]byte {
	values := map[string][]byte{"Hash(H1)": h.Sum(s.H1), "TH_1": h.Sum(s.TCK)}
	early := keyschedule.NewEarly(h, s.PSK)
	values["binder_key"] = early.BinderKey()
	values["s_psk_auth"] = early.ServerProofKey()
	values["c_early"] = early.ClientTraffic(s.Hello)
	s.between(h, values)
	handshake := early.Handshake(bytes.Clone(s.KemSecret), s.H1)
	values["c_hs"], values["s_hs"] = bytes.Clone(handshake.Client), bytes.Clone(handshake.Server)
	auth := keyschedule.AuthKey(h, handshake.Client)
	values["auth_key"], values["auth_iv"] = auth.Key, auth.IV
	first := handshake.First(s.TCK)
	values["c_ap"], values["s_ap"], values["res"], values["exp"] = first.Client, first.Server, first.Resumption, first.Exporter
	values["rekey"] = keyschedule.ExpandLabel(h, values["root_1"], "rekey", values["TH_1"], h.Size())
	for _, side := range []string{"c", "s"} {
		values[side+"_finished_key"] = keyschedule.ExpandLabel(h, values[side+"_hs"], "finished", nil, h.Size())
	}
	for _, name := range []string{"c_early", "s_hs", "c_ap", "s_ap"} {
		record := keyschedule.RecordKey(h, values[name])
		values[name+"_key"], values[name+"_iv"] = record.Key, record.IV
	}
	return values
}

// between computes what the stages keep to themselves: early, handshake, master and root_1.
func (s Schedule) between(h primitive.Hash, values map[string][]byte) {
	zeros := make([]byte, h.Size())
	psk := []byte(s.PSK)
	if psk == nil {
		psk = zeros
	}
	next := func(secret, ikm []byte) []byte {
		return h.Extract(keyschedule.ExpandLabel(h, secret, "derived", h.Sum(), h.Size()), ikm)
	}
	values["early"] = h.Extract(zeros, psk)
	values["handshake"] = next(values["early"], s.KemSecret)
	values["master"] = next(values["handshake"], zeros)
	values["root_1"] = keyschedule.ExpandLabel(h, values["master"], "root", values["TH_1"], h.Size())
}

// HashName is the name of a hash in a group.
type HashName string

// New is the hash of that name. It panics on any other: the files' schemas know none.
func (n HashName) New() primitive.Hash {
	id, err := registry.HashIdOf(string(n))
	if err != nil {
		panic(err)
	}
	h, err := primitive.NewHash(id)
	if err != nil {
		panic(err)
	}
	return h
}
