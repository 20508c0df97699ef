package vectors

import (
	"bytes"
	"crypto/hmac"
	"errors"

	"qzmq.test/go/internal/alert"
	"qzmq.test/go/internal/keyschedule"
	"qzmq.test/go/internal/primitive"
)

// origin is what a session's key schedule starts from: octets of H1, T_ck and prologue || ClientHello.
type origin struct {
	Hash      hash
	PSK       Octets
	KemSecret Octets `json:"kem_secret"`
	H1        Octets
	TCK       Octets `json:"t_ck"`
	Hello     Octets
}

func schedule(given origin) (Output, error) {
	return Output{"values": given.walk(given.Hash.Hash)}, nil
}

// walk goes through the stages of the schedule and gives every value on the way, by the names of the tables secrets and
// keys.
func (o origin) walk(h primitive.Hash) map[string]Octets {
	values := map[string]Octets{"Hash(H1)": h.Sum(o.H1), "TH_1": h.Sum(o.TCK)}
	early := keyschedule.NewEarly(h, o.PSK)
	values["binder_key"] = early.BinderKey()
	values["s_psk_auth"] = early.ServerProofKey()
	values["c_early"] = early.ClientTraffic(o.Hello)
	o.between(h, values)
	handshake := early.Handshake(bytes.Clone(o.KemSecret), o.H1)
	values["c_hs"], values["s_hs"] = bytes.Clone(handshake.Client), bytes.Clone(handshake.Server)
	auth := keyschedule.AuthKey(h, handshake.Client)
	values["auth_key"], values["auth_iv"] = auth.Key, auth.IV
	first := handshake.First(o.TCK)
	values["c_ap"], values["s_ap"] = Octets(first.Client), Octets(first.Server)
	values["res"], values["exp"] = Octets(first.Resumption), Octets(first.Exporter)
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
func (o origin) between(h primitive.Hash, values map[string]Octets) {
	zeros := make([]byte, h.Size())
	psk := []byte(o.PSK)
	if psk == nil {
		psk = zeros
	}
	next := func(secret, ikm []byte) []byte {
		return h.Extract(keyschedule.ExpandLabel(h, secret, "derived", h.Sum(), h.Size()), ikm)
	}
	values["early"] = h.Extract(zeros, psk)
	values["handshake"] = next(values["early"], o.KemSecret)
	values["master"] = next(values["handshake"], zeros)
	values["root_1"] = keyschedule.ExpandLabel(h, values["master"], "root", values["TH_1"], h.Size())
}

type labelled struct {
	Hash    hash
	Secret  Octets
	Exp     Octets
	Label   string
	Context Octets
	Length  int
}

func expandLabel(given labelled) (Output, error) {
	return Output{"output": Octets(keyschedule.ExpandLabel(given.Hash.Hash, given.Secret, given.Label, given.Context, given.Length))}, nil
}

func exporter(given labelled) (Output, error) {
	output, err := keyschedule.Export(given.Hash.Hash, given.Exp, given.Label, given.Context, given.Length)
	return Output{"output": Octets(output)}, err
}

type confirmation struct {
	Hash       hash
	Sender     string
	Secret     Octets
	Transcript Octets
	VerifyData Octets `json:"verify_data"`
}

func finished(given confirmation) (Output, error) {
	return Output{"verify_data": Octets(keyschedule.VerifyData(given.Hash.Hash, given.Secret, given.Transcript))}, nil
}

func verifyData(given confirmation) (Output, error) {
	if hmac.Equal(keyschedule.VerifyData(given.Hash.Hash, given.Secret, given.Transcript), given.VerifyData) {
		return Output{}, nil
	}
	requirement := map[string]string{"client": "HS-14", "server": "HS-16"}[given.Sender]
	return nil, alert.New(alert.DecryptError, requirement, "verify_data")
}

type chained struct {
	Hash   hash
	Secret Octets
}

// chain gives the first eight steps that follow from a traffic secret, and the last.
func chain(given chained) (Output, error) {
	const told, last = 8, 255
	h, traffic := given.Hash.Hash, []byte(given.Secret)
	if len(traffic) != h.Size() {
		return nil, errors.New("vectors: a traffic secret is as long as the hash")
	}
	steps := make([]map[string]Octets, told)
	for step := range last {
		if step < told {
			key := keyschedule.RecordKey(h, traffic)
			steps[step] = map[string]Octets{"traffic": traffic, "key": key.Key, "iv": key.IV}
		}
		traffic = keyschedule.NextTraffic(h, traffic)
	}
	return Output{"steps": steps, "traffic_255": Octets(traffic)}, nil
}
