package registry

import "fmt"

// ExtensionType is the 16-bit type of an extension, an open enum.
type ExtensionType uint16

// The extensions of QZMQ/1. KeyShare and QuantumProof are reserved and stand in no message.
const (
	PreSharedKey      ExtensionType = 0x0029
	EarlyData         ExtensionType = 0x002A
	Cookie            ExtensionType = 0x002C
	KeyShare          ExtensionType = 0x0033
	QuantumProof      ExtensionType = 0xFF01
	ClientAuthRequest ExtensionType = 0xFF02
)

// String returns the specification's name, or the number of an unlisted value.
func (e ExtensionType) String() string {
	switch e {
	case PreSharedKey:
		return "pre_shared_key"
	case EarlyData:
		return "early_data"
	case Cookie:
		return "cookie"
	case KeyShare:
		return "key_share"
	case QuantumProof:
		return "quantum_proof"
	case ClientAuthRequest:
		return "client_auth_request"
	}
	return fmt.Sprintf("%#06x", uint16(e))
}

// LegalIn reports whether table extensions lists the extension for the message: what it does not list is ignored by a
// server (REG-8) and unsupported_extension to a client (REG-9).
func (e ExtensionType) LegalIn(message MessageType) bool {
	switch message {
	case TypeClientHello:
		return e == PreSharedKey || e == EarlyData || e == Cookie
	case TypeServerHello:
		return e == PreSharedKey || e == EarlyData || e == ClientAuthRequest
	}
	return false
}

// IsGrease reports whether value is one of RFC 8701's sixteen 16-bit values 0x0A0A, 0x1A1A ... 0xFAFA (REG-11).
func IsGrease(value uint16) bool {
	return value&0x0F0F == 0x0A0A && value>>8 == value&0xFF
}

// Grease returns the value of REG-11 that a random octet picks; its low octet is one of REG-12.
func Grease(random byte) uint16 {
	octet := uint16(random&0xF0 | 0x0A)
	return octet<<8 | octet
}
