package registry

import "fmt"

// Version is the protocol version of QZMQ/1, the octet in both hellos (HS-2).
const Version uint8 = 1

// MessageType is the first octet of every QZMQ message (REG-1). It is a closed enum.
type MessageType uint8

// The messages of QZMQ/1.
const (
	TypeClientHello  MessageType = 0x01
	TypeServerHello  MessageType = 0x02
	TypeClientKey    MessageType = 0x03
	TypeFinished     MessageType = 0x04
	TypeHelloRetry   MessageType = 0x05
	TypeNewTicket    MessageType = 0x06
	TypeData         MessageType = 0x10
	TypeKeyUpdate    MessageType = 0x20
	TypeKeyUpdateAck MessageType = 0x21
	TypeAlert        MessageType = 0x30
	TypeSealedAlert  MessageType = 0x31
)

// String returns the specification's name, or the number of an unlisted value.
func (t MessageType) String() string {
	switch t {
	case TypeClientHello:
		return "client_hello"
	case TypeServerHello:
		return "server_hello"
	case TypeClientKey:
		return "client_key"
	case TypeFinished:
		return "finished"
	case TypeHelloRetry:
		return "hello_retry"
	case TypeNewTicket:
		return "new_ticket"
	case TypeData:
		return "data"
	case TypeKeyUpdate:
		return "key_update"
	case TypeKeyUpdateAck:
		return "key_update_ack"
	case TypeAlert:
		return "alert"
	case TypeSealedAlert:
		return "sealed_alert"
	}
	return fmt.Sprintf("%#04x", uint8(t))
}

// Plain reports whether messages of this type travel without protection (table messages).
func (t MessageType) Plain() bool {
	switch t {
	case TypeClientHello, TypeServerHello, TypeClientKey, TypeHelloRetry, TypeAlert:
		return true
	}
	return false
}

// Sealed reports whether messages of this type are records (table messages). A type that is neither plain nor sealed
// is unexpected_message (REG-1).
func (t MessageType) Sealed() bool {
	switch t {
	case TypeFinished, TypeNewTicket, TypeData, TypeKeyUpdate, TypeKeyUpdateAck, TypeSealedAlert:
		return true
	}
	return false
}

// CertificateType is the first octet of a Certificate, an open enum (CERT-1).
type CertificateType uint8

// The certificate types of QZMQ/1.
const (
	RawPublicKey CertificateType = 0
	X509         CertificateType = 1
)
