package pure

import (
	"errors"

	"qzmq.test/go/internal/local"
)

// The library does not say whose a message is. A socket with the option QZMQ_PROPERTIES has every connection put one
// more part behind each message, which holds the peer's properties, and takes it off again. It costs a copy.

// setProperties sets the option.
func (s *Socket) setProperties(value any) error {
	wanted, ok := value.(bool)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !ok:
		return errors.New("option QZMQ_PROPERTIES is a bool")
	case s.zmq != nil:
		return errors.New("option QZMQ_PROPERTIES must be set before the socket binds or connects")
	case wanted && (s.kind == "PUB" || s.kind == "XPUB"):
		return errors.New("option QZMQ_PROPERTIES is not for a socket whose library reads subscriptions")
	}
	s.properties = wanted
	return nil
}

// tagging says whether messages have a part more.
func (s *Socket) tagging() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.properties
}

// untag takes the properties off a message.
func untag(parts [][]byte) ([][]byte, map[string]string, error) {
	last := len(parts) - 1
	properties, err := local.ParseTag(parts[last])
	if err != nil {
		return nil, nil, err
	}
	found := make(map[string]string, len(properties))
	for _, p := range properties {
		found[p.Name] = string(p.Value)
	}
	if parts = parts[:last]; last == 0 { // a REP socket of the library takes an empty part for the envelope's end
		parts = [][]byte{{}}
	}
	return parts, found, nil
}
