package vectors

import (
	"bytes"
	"fmt"

	"qzmq.test/go/internal/handshake"
	"qzmq.test/go/internal/registry"
)

// The octets that the transcripts carry behind the handshake, and before it.
var (
	said = map[handshake.Role]string{handshake.Client: "\x00\x05hello", handshake.Server: "\x00\x05world"}

	saidEarly = "\x00\x05early"
)

// followed is what has become of a transcript.
type followed struct {
	values  map[string]Octets
	differs []int // the messages that this library would not have said itself
}

func follow(given transcript) (Output, error) {
	f, err := given.follow()
	return Output{"values": f.values}, err
}

// follow lets each message be said by its sender, and judged by its receiver.
func (t transcript) follow() (f followed, err error) {
	o, err := t.open()
	if err != nil {
		return f, err
	}
	var sides [2]side
	for role := range sides {
		if sides[role].Machine, err = newSide(t, o, handshake.Role(role)); err != nil {
			return f, err
		}
		sides[role].role = handshake.Role(role)
		sides[role].Local(handshake.Begin)
	}
	for i, m := range t.Messages {
		sender, receiver := sides[handshake.Client], sides[handshake.Server]
		if m.Sender == "server" {
			sender, receiver = receiver, sender
		}
		if len(m.Octets) == 0 {
			return f, fmt.Errorf("vectors: message %d is empty", i)
		}
		if !bytes.Equal(sender.say(m.Octets), m.Octets) {
			f.differs = append(f.differs, i)
			sender.Adopt(m.Octets)
		}
		if err := receiver.hear(m.Octets); err != nil {
			return f, &Refusal{i, err}
		}
	}
	f.values = o.values()
	return f, nil
}

// side is one side of a transcript.
type side struct {
	*handshake.Machine
	role handshake.Role
}

// say gives what this side says where the transcript has that. Its own faults are its receiver's to find.
func (s side) say(wanted []byte) []byte {
	if registry.MessageType(wanted[0]) != registry.TypeData {
		return s.TakeOutput()
	}
	if s.State() != handshake.Open {
		octets, _ := s.SealEarly(nil, []byte(saidEarly))
		return octets
	}
	octets, err := s.SealData(nil, []byte(said[s.role]))
	if err != nil {
		return nil
	}
	return octets
}

// hear receives a message of the peer.
func (s side) hear(octets []byte) error {
	s.TakeEvents()
	if !s.IsData(octets) {
		s.Receive(octets)
		return ended(s.TakeEvents())
	}
	out, err := s.OpenData(nil, octets)
	if wanted := said[s.role.Opposite()]; err == nil && string(out) != wanted {
		err = fmt.Errorf("vectors: %x arrived, not %x", out, wanted)
	}
	return err
}

// ended is the alert with which a machine has ended its session, nil if it has not.
func ended(events []handshake.Event) error {
	for _, event := range events {
		if e, ok := event.(handshake.Ended); ok {
			if e.Alert == nil {
				return fmt.Errorf("vectors: the session ended: %s", e.Reason)
			}
			return e.Alert
		}
	}
	return nil
}
