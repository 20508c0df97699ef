package local

import (
	"bytes"
	"reflect"
	"testing"
)

func TestTaggerCutAnywhere(t *testing.T) {
	properties := []Property{{Name: "User-Id", Value: []byte("alice")}}
	tag := Tag(properties)
	if got, err := ParseTag(tag[2:]); err != nil || !reflect.DeepEqual(got, properties) {
		t.Fatal(got, err)
	}
	long := append([]byte{2, 0, 0, 0, 0, 0, 0, 1, 44}, bytes.Repeat([]byte("y"), 300)...)
	from := append([]byte("\x00\x02hi\x01\x01a\x00\x00"), long...) // "hi"; "a" and nothing; 300 octets
	want := append(append([]byte("\x01\x02hi"), tag...), "\x01\x01a\x01\x00"...)
	want = append(append(append(append(want, tag...), 3), long[1:]...), tag...)
	for cut := range len(from) {
		var tagger Tagger
		got := tagger.Append(tagger.Append(nil, from[:cut], tag), from[cut:], tag)
		if !bytes.Equal(got, want) {
			t.Fatalf("cut at %d:\ngot  %q\nwant %q", cut, got, want)
		}
	}
}
