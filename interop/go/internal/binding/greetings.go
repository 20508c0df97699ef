package binding

// MaxHeader is the most octets that any binding puts before a message.
const MaxHeader = 1 + 8 + len(commandName)

// greetings are what both sides say first; both have the same length.
type greetings struct {
	own    []byte
	peer   []byte
	server bool
}

func (g *greetings) Greeting() []byte { return g.own }

// receive checks octet by octet what has come of the peer's greeting (ZMTP-2, RAW-2), and keeps it when it is whole.
func (g *greetings) receive(octets []byte, check func(at int, octets []byte) error) (int, error) {
	octets = octets[:min(len(octets), len(g.own))]
	for at := range octets {
		if err := check(at, octets); err != nil {
			return 0, err
		}
	}
	if len(octets) < len(g.own) {
		return 0, nil
	}
	g.peer = append(g.peer[:0], octets...)
	return len(octets), nil
}

func (g *greetings) Prologue() []byte {
	first, second := g.own, g.peer
	if g.server {
		first, second = g.peer, g.own
	}
	return append(append(make([]byte, 0, len(first)+len(second)), first...), second...)
}
