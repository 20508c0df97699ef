package binding_test

import (
	"testing"

	"qzmq.test/go/internal/binding"
)

// clientGreeting is what a client of that mechanism says.
func clientGreeting(mechanism string) []byte {
	octets := make([]byte, 64)
	octets[0], octets[8], octets[9], octets[10], octets[11] = 0xFF, 1, 0x7F, 3, 1
	copy(octets[12:], mechanism)
	return octets
}

// TestNamesCurve: where a greeting settles the mechanism, and never before (ZMTP-11, ZMTP-12).
func TestNamesCurve(t *testing.T) {
	change := func(at int, octet byte) []byte {
		octets := clientGreeting("CURVE")
		octets[at] = octet
		return octets
	}
	for _, c := range []struct {
		name   string
		octets []byte
		at     int // octets that settle it
		curve  bool
	}{
		{"CURVE", clientGreeting("CURVE"), 32, true},
		{"ZMTP 3.0", change(11, 0), 32, true},
		{"ZMTP 4", change(10, 4), 32, true},
		{"padding", change(4, 9), 32, true},
		{"QZMQ", clientGreeting("QZMQ"), 13, false},
		{"CURV", clientGreeting("CURV"), 17, false},
		{"CURVE2", clientGreeting("CURVE2"), 18, false},
		{"curve", clientGreeting("curve"), 13, false},
		{"not padded", change(31, 'x'), 32, false},
		{"HTTP", []byte("GET / HTTP/1.1"), 1, false},
		{"signature", change(9, 0), 10, false},
		{"ZMTP 2", change(10, 2), 11, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for n := range len(c.octets) + 1 {
				curve, settled := binding.NamesCurve(c.octets[:n])
				if settled != (n >= c.at) || curve != (settled && c.curve) {
					t.Fatalf("after %d octets: curve %v, settled %v", n, curve, settled)
				}
			}
		})
	}
}
