// Package wire parses and builds every structure of the specification: strictly, so that a parsed value builds to the
// same octets, and whatever the notation forbids (floors, ceilings, unknown closed values, octets after the end) is
// refused with decode_error.
package wire

// Property is one name and value of metadata (spec/patterns.md).
type Property struct {
	Name  []byte // 1 to 255 octets
	Value []byte // 0 to 2^31-1 octets
}
