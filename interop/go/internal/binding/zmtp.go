package binding

import (
	"encoding/binary"

	"qzmq.test/go/internal/alert"
)

// The zmtp greeting's places in octets (RFC 37).
const (
	zmtpGreetingSize = 64
	signatureEnd     = 9
	versionMajor     = 10
	versionMinor     = 11
	mechanismAt      = 12
	asServerAt       = 32
)

// The flags of a command frame, short and long, and what stands before a message in it.
const (
	shortCommand = 0x04
	longCommand  = 0x06
	commandName  = "\x04QZMQ"
)

var mechanism = [20]byte{'Q', 'Z', 'M', 'Q'}

type zmtp struct{ greetings }

// NewZMTP is the zmtp binding of a connection, for every pattern but STREAM.
func NewZMTP(server bool) Binding {
	own := make([]byte, zmtpGreetingSize)
	own[0], own[signatureEnd], own[versionMajor], own[versionMinor] = 0xFF, 0x7F, 3, 1
	copy(own[mechanismAt:], mechanism[:])
	if server {
		own[asServerAt] = 1
	}
	return &zmtp{greetings{own: own, server: server}}
}

func (z *zmtp) Name() string { return "zmtp" }

func (z *zmtp) ReceiveGreeting(octets []byte) (int, error) { return z.receive(octets, z.check) }

// check judges one octet of the peer's greeting (ZMTP-2 to ZMTP-6).
func (z *zmtp) check(at int, octets []byte) error {
	octet := octets[at]
	switch {
	case at == 0 && octet != 0xFF, at == signatureEnd && octet != 0x7F:
		return alert.New(alert.DecodeError, "ZMTP-2", "octet %d of the greeting is %#02x", at, octet)
	case at == versionMajor && octet < 3, at == versionMinor && octet < 1 && octets[versionMajor] == 3:
		return alert.New(alert.ProtocolVersion, "ZMTP-3", "the peer's ZMTP is older than 3.1")
	case at >= mechanismAt && at < asServerAt && octet != mechanism[at-mechanismAt]:
		return alert.New(alert.HandshakeFailure, "ZMTP-4", "the peer's mechanism is not QZMQ")
	case at == asServerAt && octet != z.own[at]^1:
		return alert.New(alert.IllegalParameter, "ZMTP-5", "the peer's as-server is %d like this side's", octet)
	}
	return nil
}

func (z *zmtp) AppendHeader(dst []byte, length int) []byte {
	size := length + len(commandName)
	if size <= 255 {
		dst = append(dst, shortCommand, byte(size))
	} else {
		dst = binary.BigEndian.AppendUint64(append(dst, longCommand), uint64(size))
	}
	return append(dst, commandName...)
}

func (z *zmtp) Message(octets []byte, limit int) (start, end int, err error) {
	size, at, err := commandSize(octets)
	if err != nil || at == 0 {
		return 0, 0, err
	}
	if size <= uint64(len(commandName)) {
		return 0, 0, alert.New(alert.UnexpectedMessage, "ZMTP-8", "a command of %d octets holds no message", size)
	}
	if length := size - uint64(len(commandName)); length > uint64(limit) {
		return 0, 0, alert.New(alert.RecordOverflow, "ZMTP-10", "a message of %d octets, the limit is %d", length, limit)
	}
	start = at + len(commandName)
	name := octets[at:min(start, len(octets))]
	if string(name) != commandName[:len(name)] {
		return 0, 0, alert.New(alert.UnexpectedMessage, "ZMTP-8", "the command is not QZMQ")
	}
	end = at + int(size)
	if len(octets) < end {
		return 0, 0, nil
	}
	return start, end, nil
}

// commandSize reads flags and size of a frame (ZMTP-8, ZMTP-9); at is where its body begins, 0 while they are not there.
func commandSize(octets []byte) (size uint64, at int, err error) {
	if len(octets) == 0 {
		return 0, 0, nil
	}
	switch {
	case octets[0] != shortCommand && octets[0] != longCommand:
		return 0, 0, alert.New(alert.UnexpectedMessage, "ZMTP-8", "frame flags %#02x are not a command's", octets[0])
	case octets[0] == shortCommand && len(octets) >= 2:
		return uint64(octets[1]), 2, nil
	case octets[0] == longCommand && len(octets) >= 9:
		return binary.BigEndian.Uint64(octets[1:]), 9, nil
	}
	return 0, 0, nil
}
