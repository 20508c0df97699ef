package handshake

import (
	"fmt"

	"qzmq.test/go/internal/registry"
)

// State is where a session stands: a state of the table handshake.
type State uint8

// The states, by their names in the table.
const (
	Start State = iota
	WaitServerHello
	WaitSecondServerHello
	WaitFinished
	WaitSecondClientHello
	WaitClientKey
	WaitAuthorization
	Open // established
	Closing
	Over // closed
)

var stateNames = [...]string{
	"start", "wait_server_hello", "wait_second_server_hello", "wait_finished", "wait_second_client_hello",
	"wait_client_key", "wait_authorization", "established", "closing", "closed",
}

// String gives the state's name in the table.
func (s State) String() string { return stateNames[s] }

// Input is what a row receives: a message type, or a local event.
type Input uint16

// The local events, in parentheses in the table.
const (
	Begin Input = 0x100 + iota
	Close
	Rekey
	Admitted
	Refused
)

var localNames = [...]string{"(begin)", "(close)", "(rekey)", "(admitted)", "(refused)"}

// The messages, as inputs.
const (
	clientHello  = Input(registry.TypeClientHello)
	serverHello  = Input(registry.TypeServerHello)
	clientKey    = Input(registry.TypeClientKey)
	finished     = Input(registry.TypeFinished)
	helloRetry   = Input(registry.TypeHelloRetry)
	newTicket    = Input(registry.TypeNewTicket)
	data         = Input(registry.TypeData)
	keyUpdate    = Input(registry.TypeKeyUpdate)
	keyUpdateAck = Input(registry.TypeKeyUpdateAck)
	plainAlert   = Input(registry.TypeAlert)
	sealedAlert  = Input(registry.TypeSealedAlert)
)

// String gives the input's name in the table.
func (i Input) String() string {
	if i >= Begin {
		return localNames[i-Begin]
	}
	return registry.MessageType(i).String()
}

// Epoch is how the message of a row is protected.
type Epoch uint8

// The epochs of the table; none is that of a local event.
const (
	none  Epoch = iota
	plain       // no record
	early       // a record of early data
	gen0        // a record of generation 0
	gen1        // a record of any later generation
)

// String gives the epoch's name in the table.
func (e Epoch) String() string { return [...]string{"", "plain", "early", "0", "1+"}[e] }

// incoming is the message or local event that a row is about.
type incoming struct {
	input   Input
	epoch   Epoch
	message []byte // from the type octet on, of a plain message
	value   any    // the parsed structure; application octets of data
}

func (in incoming) String() string { return fmt.Sprintf("%s (%s)", in.input, in.epoch) }
