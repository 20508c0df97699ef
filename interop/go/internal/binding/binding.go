// Package binding says how a connection begins and how QZMQ messages are framed on it: zmtp and raw (spec/bindings.md).
package binding

// Binding is one connection's greeting and framing. It keeps the greetings, so each connection needs its own.
type Binding interface {
	// Name is "zmtp" or "raw".
	Name() string
	// Greeting is what this side sends at once (ZMTP-1, RAW-1).
	Greeting() []byte
	// ReceiveGreeting checks the octets of the peer's greeting that are there. It returns its length when it is complete,
	// 0 while it is not, and an *alert.Alert as soon as an octet is wrong.
	ReceiveGreeting(octets []byte) (int, error)
	// Prologue is both greetings as they crossed the wire, the client's first; valid when the peer's is complete.
	Prologue() []byte
	// AppendHeader appends what goes before a message of that length.
	AppendHeader(dst []byte, length int) []byte
	// Message finds the first message in octets: octets[start:end]. It returns end 0 while it is incomplete, and an
	// *alert.Alert if its frame is wrong or announces more than limit octets, before the message itself is there.
	Message(octets []byte, limit int) (start, end int, err error)
}
