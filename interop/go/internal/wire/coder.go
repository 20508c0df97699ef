// Package wire parses and builds every structure of the specification: strictly, so that a parsed value builds to the
// same octets, and whatever the notation forbids (floors, ceilings, unknown closed values, octets after the end) is
// refused with decode_error.
//
// A structure is a Go struct whose method fields names its fields in their order, once for both directions. Parsed
// octets are slices of the message they came from.
package wire

import (
	"encoding/binary"
	"fmt"

	"qzmq.test/go/internal/alert"
)

// Structure is a pointer to one of the structures of this package.
type Structure interface {
	fields(c *coder)
}

// Parse reads a structure that octets are exactly (REG-2, NOT-1 to NOT-9), or gives an *alert.Alert.
func Parse(octets []byte, into Structure) error { return ParseHashed(octets, 0, into) }

// ParseHashed is Parse for a structure with arrays of Hash.length: hashLength octets.
func ParseHashed(octets []byte, hashLength int, into Structure) error {
	c := coder{octets: octets, parsing: true, hashLength: hashLength}
	into.fields(&c)
	if c.fault == "" && len(c.octets) > 0 {
		c.fault = "octets after the end"
	}
	if c.fault != "" {
		return alert.New(alert.DecodeError, requirement(into), "%T: %s", into, c.fault)
	}
	return nil
}

// Append builds a structure behind dst. It fails, as a local error, if a value does not fit its field.
func Append(dst []byte, s Structure) ([]byte, error) {
	c := coder{octets: dst}
	s.fields(&c)
	if c.fault != "" {
		return nil, fmt.Errorf("wire: %T cannot be built: %s", s, c.fault)
	}
	return c.octets, nil
}

// requirement is the rule that answers a structure that is malformed: where it stands decides.
func requirement(s Structure) string {
	switch s.(type) {
	case *Metadata, *Property:
		return "PAT-3"
	case *PuzzleSolution, *Empty, *ClientAuthRequest, *PreSharedKey, *EarlyDataAnswer:
		return "REG-10"
	case *RecordHeader:
		return "REC-2"
	}
	return "REG-2"
}

// coder goes through the fields of a structure: when parsing, octets is what is left; when building, what is there.
type coder struct {
	octets     []byte
	parsing    bool
	hashLength int
	fault      string // the first one; nothing is read or written after it
}

func (c *coder) fail(field, format string, arguments ...any) {
	if c.fault == "" {
		c.fault = field + ": " + fmt.Sprintf(format, arguments...)
	}
}

// take gives the next n octets of what is parsed, nil and a fault if there are fewer.
func (c *coder) take(field string, n int) []byte {
	if c.fault != "" || n > len(c.octets) {
		c.fail(field, "%d octets are missing", n-len(c.octets))
		return nil
	}
	taken := c.octets[:n:n]
	c.octets = c.octets[n:]
	return taken
}

// number codes an unsigned integer of size octets, most significant first (NOT-1).
func (c *coder) number(field string, size int, value *uint64) {
	var whole [8]byte
	if c.parsing {
		copy(whole[8-size:], c.take(field, size))
		*value = binary.BigEndian.Uint64(whole[:])
		return
	}
	binary.BigEndian.PutUint64(whole[:], *value)
	if size < 8 && *value>>(8*size) != 0 {
		c.fail(field, "%d does not fit %d octets", *value, size)
		return
	}
	c.octets = append(c.octets, whole[8-size:]...)
}

// integer codes an integer or an open enum (NOT-7) in as many octets as its Go type has.
func integer[T ~uint8 | ~uint16 | ~uint32 | ~uint64](c *coder, field string, value *T) {
	size := sizeOf(^T(0))
	wide := uint64(*value)
	c.number(field, size, &wide)
	*value = T(wide)
}

func sizeOf[T ~uint8 | ~uint16 | ~uint32 | ~uint64](ones T) int {
	size := 0
	for all := uint64(ones); all != 0; all >>= 8 {
		size++
	}
	return size
}

// enumeration codes a closed enum of one octet (NOT-6).
func enumeration[T ~uint8](c *coder, field string, value *T, listed func(T) bool) {
	integer(c, field, value)
	if c.fault == "" && !listed(*value) {
		c.fail(field, "%d is not in the enum", uint8(*value))
	}
}

// array codes exactly n octets without a length (NOT-4).
func (c *coder) array(field string, value *[]byte, n int) {
	if c.parsing {
		*value = c.take(field, n)
		return
	}
	if len(*value) != n {
		c.fail(field, "%d octets instead of %d", len(*value), n)
		return
	}
	c.octets = append(c.octets, *value...)
}

// digest codes an array of Hash.length octets.
func (c *coder) digest(field string, value *[]byte) {
	if c.parsing {
		c.array(field, value, c.hashLength)
		return
	}
	c.array(field, value, len(*value))
}

// rest codes everything that is left (NOT-5).
func (c *coder) rest(field string, value *[]byte) {
	if c.parsing {
		c.array(field, value, len(c.octets))
		return
	}
	c.octets = append(c.octets, *value...)
}

// vector codes octets behind their length, which takes the fewest octets that hold the ceiling (NOT-2, NOT-3).
func (c *coder) vector(field string, value *[]byte, floor, ceiling uint64) {
	length := uint64(len(*value))
	c.number(field, sizeOf(ceiling), &length)
	if c.fault != "" {
		return
	}
	if length < floor || length > ceiling {
		c.fail(field, "length %d is not between %d and %d", length, floor, ceiling)
		return
	}
	c.array(field, value, int(length))
}

// list codes a vector of elements.
func list[T any](c *coder, field string, values *[]T, floor, ceiling uint64, element func(*coder, *T)) {
	var body []byte
	if !c.parsing {
		body = buildAll(c, field, *values, element)
	}
	c.vector(field, &body, floor, ceiling)
	if c.parsing {
		*values = parseAll(c, field, body, element)
	}
}

// elements codes elements up to the end of what encloses them.
func elements[T any](c *coder, field string, values *[]T, element func(*coder, *T)) {
	if c.parsing {
		*values = parseAll(c, field, c.octets, element)
		c.octets = nil
		return
	}
	c.octets = append(c.octets, buildAll(c, field, *values, element)...)
}

func parseAll[T any](c *coder, field string, body []byte, element func(*coder, *T)) []T {
	inner := coder{octets: body, parsing: true, hashLength: c.hashLength}
	var values []T
	for inner.fault == "" && len(inner.octets) > 0 && c.fault == "" {
		var value T
		element(&inner, &value)
		values = append(values, value)
	}
	if inner.fault != "" {
		c.fail(fmt.Sprintf("%s[%d]", field, len(values)-1), "%s", inner.fault)
		return nil
	}
	return values
}

func buildAll[T any](c *coder, field string, values []T, element func(*coder, *T)) []byte {
	var inner coder
	for i := range values {
		element(&inner, &values[i])
	}
	if inner.fault != "" {
		c.fail(field, "%s", inner.fault)
	}
	return inner.octets
}
