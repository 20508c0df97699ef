package vectors

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"

	"qzmq.test/go/internal/wire"
)

// How the vectors write a structure: names of the specification, integers, hexadecimal, lists.

// show turns a structure into that.
func show(s wire.Structure) any { return plain(reflect.ValueOf(s).Elem()) }

func plain(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Struct:
		fields := map[string]any{}
		for i := range v.NumField() {
			if v.Type().Field(i).Anonymous {
				return plain(v.Field(i))
			}
			fields[snake(v.Type().Field(i).Name)] = plain(v.Field(i))
		}
		return fields
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[[]byte]() {
			return hex.EncodeToString(v.Bytes())
		}
		list := []any{}
		for i := range v.Len() {
			list = append(list, plain(v.Index(i)))
		}
		return list
	}
	return v.Uint()
}

// fill is the way back.
func fill(s wire.Structure, value []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(value))
	decoder.UseNumber()
	var given any
	if err := decoder.Decode(&given); err != nil {
		return fmt.Errorf("vectors: a value: %w", err)
	}
	return set(reflect.ValueOf(s).Elem(), given)
}

func set(v reflect.Value, given any) error {
	switch given := given.(type) {
	case map[string]any:
		return setFields(v, given)
	case []any:
		list := reflect.MakeSlice(v.Type(), len(given), len(given))
		for i := range given {
			if err := set(list.Index(i), given[i]); err != nil {
				return err
			}
		}
		v.Set(list)
		return nil
	case string:
		octets, err := hex.DecodeString(given)
		v.SetBytes(octets)
		return err
	case json.Number:
		number, err := strconv.ParseUint(given.String(), 10, v.Type().Bits())
		v.SetUint(number)
		return err
	}
	return fmt.Errorf("vectors: a %T is no field of a structure", given)
}

func setFields(v reflect.Value, given map[string]any) error {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if field.Anonymous {
			return setFields(v.Field(i), given)
		}
		if err := set(v.Field(i), given[snake(field.Name)]); err != nil {
			return fmt.Errorf("%s: %w", field.Name, err)
		}
	}
	return nil
}

func snake(name string) string {
	if name == "StreamID" {
		return "stream_id"
	}
	var out []byte
	for i, r := range []byte(name) {
		if r >= 'A' && r <= 'Z' {
			if i > 0 {
				out = append(out, '_')
			}
			r += 'a' - 'A'
		}
		out = append(out, r)
	}
	return string(out)
}
