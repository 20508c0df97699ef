package wire

import (
	"maps"
	"slices"
)

// byName makes an empty structure of each name of the specification.
var byName = map[string]func() Structure{
	"AlertBody":         func() Structure { return new(AlertBody) },
	"Certificate":       func() Structure { return new(Certificate) },
	"CertificateChain":  func() Structure { return new(CertificateChain) },
	"CertificateEntry":  func() Structure { return new(CertificateEntry) },
	"CipherSuite":       func() Structure { return new(CipherSuite) },
	"ClientAuth":        func() Structure { return new(ClientAuth) },
	"ClientAuthRequest": func() Structure { return new(ClientAuthRequest) },
	"ClientHello":       func() Structure { return new(ClientHello) },
	"ClientKey":         func() Structure { return new(ClientKey) },
	"EarlyDataAnswer":   func() Structure { return new(EarlyDataAnswer) },
	"Empty":             func() Structure { return new(Empty) },
	"Extension":         func() Structure { return new(Extension) },
	"Finished":          func() Structure { return new(Finished) },
	"Greeting":          func() Structure { return new(Greeting) },
	"HelloRetry":        func() Structure { return new(HelloRetry) },
	"HkdfLabel":         func() Structure { return new(HkdfLabel) },
	"KeyUpdate":         func() Structure { return new(KeyUpdate) },
	"KeyUpdateAck":      func() Structure { return new(KeyUpdateAck) },
	"Metadata":          func() Structure { return new(Metadata) },
	"NewTicket":         func() Structure { return new(NewTicket) },
	"PreSharedKey":      func() Structure { return new(PreSharedKey) },
	"Property":          func() Structure { return new(Property) },
	"PuzzleSolution":    func() Structure { return new(PuzzleSolution) },
	"RawFrame":          func() Structure { return new(RawFrame) },
	"RecordHeader":      func() Structure { return new(RecordHeader) },
	"ServerHello":       func() Structure { return new(ServerHello) },
}

// New makes an empty structure by its name in the specification; false if there is none of that name.
func New(name string) (Structure, bool) {
	create, known := byName[name]
	if !known {
		return nil, false
	}
	return create(), true
}

// Names are the names that New knows, sorted.
func Names() []string { return slices.Sorted(maps.Keys(byName)) }
