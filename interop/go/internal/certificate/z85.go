package certificate

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// z85 is the alphabet of ZeroMQ RFC 32.
const z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"

// FormatKey writes a pin, or a seed, as people do: 40 characters of Z85, the shape of a CURVE key.
func FormatKey(key [32]byte) string {
	var text strings.Builder
	for at := 0; at < len(key); at += 4 {
		value := binary.BigEndian.Uint32(key[at:])
		for divisor := uint32(85 * 85 * 85 * 85); divisor > 0; divisor /= 85 {
			text.WriteByte(z85[value/divisor%85])
		}
	}
	return text.String()
}

// ParseKey reads what FormatKey writes. Its errors never show the text, which may be a secret (SEC-7).
func ParseKey(text string) (key [32]byte, err error) {
	if len(text) != 40 {
		return key, fmt.Errorf("a key has 40 characters of Z85, not %d", len(text))
	}
	for group := range 8 {
		var value uint64
		for i, character := range []byte(text[5*group : 5*group+5]) {
			digit := strings.IndexByte(z85, character)
			if digit < 0 {
				return [32]byte{}, fmt.Errorf("character %d of a key is not of Z85", 5*group+i+1)
			}
			value = value*85 + uint64(digit)
		}
		if value > 1<<32-1 {
			return [32]byte{}, fmt.Errorf("characters %d to %d of a key are more than 32 bits", 5*group+1, 5*group+5)
		}
		binary.BigEndian.PutUint32(key[4*group:], uint32(value))
	}
	return key, nil
}
