package handshake

// guard tells whether a row applies; nil always does.
type guard func(*Machine) bool

// does are the actions of a row and sends what it says, in their order; the first error ends the session.
type (
	does  []func(*Machine) error
	sends []func(*Machine) error
)

// row is one transition: a row of the table handshake in spec/handshake.md.
type row struct {
	ID       string
	Role     Role
	State    State
	Receives Input
	Epoch    Epoch
	Guard    guard
	Action   does
	Sends    sends
	Next     State
}

// table mirrors the table handshake of spec/handshake.md in its order; a test holds one against the other. HS-18: what
// has no row here is unexpected_message.
var table = []row{
	{"HS-20", Client, Start, Begin, none, nil, nil, sends{sendClientHello}, WaitServerHello},
	{"HS-21", Client, WaitServerHello, serverHello, plain, nil, does{acceptServerHello, trustServer, verifyServer, encapsulate}, sends{sendClientKey}, WaitFinished},
	{"HS-60", Client, WaitServerHello, helloRetry, plain, nil, does{acceptHelloRetry, solvePuzzle}, sends{sendSecondClientHello}, WaitSecondServerHello},
	{"HS-61", Client, WaitSecondServerHello, serverHello, plain, nil, does{acceptServerHello, trustServer, verifyServer, encapsulate}, sends{sendClientKey}, WaitFinished},
	{"HS-62", Client, WaitSecondServerHello, plainAlert, plain, nil, does{endByAlert}, nil, Over},
	{"HS-63", Client, WaitSecondServerHello, Close, none, nil, does{cancel}, sends{sendAlert}, Over},
	{"HS-22", Client, WaitServerHello, plainAlert, plain, nil, does{endByAlert}, nil, Over},
	{"HS-23", Client, WaitServerHello, Close, none, nil, does{cancel}, sends{sendAlert}, Over},
	{"HS-24", Client, WaitFinished, finished, gen0, nil, does{verifyFinished, acceptMetadata}, nil, Open},
	{"HS-25", Client, WaitFinished, sealedAlert, gen0, nil, does{endByAlert}, nil, Over},
	{"HS-26", Client, WaitFinished, plainAlert, plain, nil, does{endByAlert}, nil, Over},
	{"HS-27", Client, WaitFinished, Close, none, nil, does{cancel}, sends{sendSealedAlert}, Over},
	{"HS-28", Client, Start, Close, none, nil, does{cancel}, nil, Over},
	{"HS-64", Server, Start, clientHello, plain, puzzleIsDue, does{checkClientHello, refuseCookie, makePuzzle}, sends{sendHelloRetry}, WaitSecondClientHello},
	{"HS-65", Server, WaitSecondClientHello, clientHello, plain, nil, does{checkClientHello, checkSolution, resume, selectSuite, generateKemKey}, sends{sendServerHello}, WaitClientKey},
	{"HS-66", Server, WaitSecondClientHello, plainAlert, plain, nil, does{endByAlert}, nil, Over},
	{"HS-67", Server, WaitSecondClientHello, Close, none, nil, does{cancel}, sends{sendAlert}, Over},
	{"HS-30", Server, Start, clientHello, plain, nil, does{checkClientHello, refuseCookie, resume, selectSuite, generateKemKey}, sends{sendServerHello}, WaitClientKey},
	{"HS-31", Server, Start, plainAlert, plain, nil, does{endByAlert}, nil, Over},
	{"HS-32", Server, Start, Close, none, nil, does{cancel}, sends{sendAlert}, Over},
	{"HS-33", Server, WaitClientKey, clientKey, plain, nil, does{decapsulate, openClientAuth, verifyClient, trustClient, acceptMetadata}, sends{sendFinished, sendNewTickets}, Open},
	{"HS-80", Server, WaitClientKey, clientKey, plain, asksZap, does{decapsulate, openClientAuth, verifyClient, trustClient, acceptMetadata, askZap}, nil, WaitAuthorization},
	{"HS-81", Server, WaitAuthorization, Admitted, none, nil, does{admit}, sends{sendFinished, sendNewTickets}, Open},
	{"HS-82", Server, WaitAuthorization, Refused, none, nil, does{refuse}, sends{sendSealedAlert}, Over},
	{"HS-83", Server, WaitAuthorization, Close, none, nil, does{cancel}, sends{sendSealedAlert}, Over},
	{"HS-70", Server, WaitClientKey, data, early, earlyIsAccepted, does{deliverEarly}, nil, WaitClientKey},
	{"HS-71", Server, WaitClientKey, data, early, earlyWasAnnounced, does{discardEarly}, nil, WaitClientKey},
	{"HS-72", Server, WaitSecondClientHello, data, early, earlyWasAnnounced, does{discardEarly}, nil, WaitSecondClientHello},
	{"HS-34", Server, WaitClientKey, plainAlert, plain, nil, does{endByAlert}, nil, Over},
	{"HS-35", Server, WaitClientKey, Close, none, nil, does{cancel}, sends{sendAlert}, Over},
	{"HS-40", Both, Open, data, gen1, nil, does{deliver}, nil, Open},
	{"HS-41", Both, Open, sealedAlert, gen1, isCloseNotify, does{endByClose, notifyClose}, sends{sendSealedAlert}, Over},
	{"HS-42", Both, Open, sealedAlert, gen1, nil, does{endByAlert}, nil, Over},
	{"HS-43", Both, Open, Close, none, nil, does{notifyClose}, sends{sendSealedAlert}, Closing},
	{"HS-50", Client, Open, Rekey, none, mayRekey, does{generateOffer}, sends{sendKeyOffer}, Open},
	{"HS-51", Client, Open, keyUpdate, gen1, offerIsOpen, does{acceptRequest}, nil, Open},
	{"HS-52", Client, Open, keyUpdate, gen1, nil, does{acceptRequest, generateOffer}, sends{sendKeyOffer}, Open},
	{"HS-53", Client, Open, keyUpdateAck, gen1, offerIsOpen, does{acceptAck}, sends{sendEmptyData}, Open},
	{"HS-54", Server, Open, Rekey, none, mayRekey, nil, sends{sendKeyRequest}, Open},
	{"HS-55", Server, Open, keyUpdate, gen1, nil, does{acceptOffer, discardTickets}, sends{sendKeyUpdateAck, sendEmptyData, sendNewTickets}, Open},
	{"HS-56", Client, Open, newTicket, gen1, nil, does{acceptTicket}, nil, Open},
	{"HS-44", Both, Closing, data, gen1, nil, nil, nil, Closing},
	{"HS-45", Both, Closing, sealedAlert, gen1, nil, does{endByClose}, nil, Over},
	{"HS-46", Both, Closing, keyUpdate, gen1, nil, nil, nil, Closing},
	{"HS-48", Client, Closing, newTicket, gen1, nil, nil, nil, Closing},
	{"HS-47", Client, Closing, keyUpdateAck, gen1, offerIsOpen, does{acceptAck}, nil, Closing},
}

// rows gives the rows of a role and state for an input, guards apart, in the order of the table.
func rows(role Role, state State, input Input, epoch Epoch) []row {
	var found []row
	for _, r := range table {
		if (r.Role == role || r.Role == Both) && r.State == state && r.Receives == input && r.Epoch == epoch {
			found = append(found, r)
		}
	}
	return found
}
