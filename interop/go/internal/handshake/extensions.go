package handshake

import (
	"qzmq.test/go/internal/alert"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/wire"
)

// extensions are what a hello has of the table extensions; nil what it has not.
type extensions struct {
	psk      *wire.PreSharedKey
	pskLast  bool // nothing stands behind it (RES-8)
	accepted bool // pre_shared_key of a ServerHello
	early    bool
	answer   *wire.EarlyDataAnswer
	cookie   *wire.PuzzleSolution
	request  *wire.ClientAuthRequest
}

// readExtensions reads the listed extensions of a message (REG-10). One that comes twice is decode_error, listed or not
// (REG-7); one that is not listed is ignored by a server and refused by a client (REG-8, REG-9).
func readExtensions(message registry.MessageType, list []wire.Extension) (extensions, error) {
	var found extensions
	seen := map[registry.ExtensionType]bool{}
	for i, e := range list {
		if seen[e.ExtensionType] {
			return found, alert.New(alert.DecodeError, "REG-7", "extension %s twice", e.ExtensionType)
		}
		seen[e.ExtensionType] = true
		if !e.ExtensionType.LegalIn(message) {
			if message == registry.TypeServerHello {
				return found, alert.New(alert.UnsupportedExtension, "REG-9", "extension %s in ServerHello", e.ExtensionType)
			}
			continue
		}
		if e.ExtensionType == registry.PreSharedKey {
			found.pskLast = i == len(list)-1
		}
		if err := found.read(message, e); err != nil {
			return found, err
		}
	}
	return found, nil
}

func (x *extensions) read(message registry.MessageType, e wire.Extension) error {
	server := message == registry.TypeServerHello
	switch {
	case e.ExtensionType == registry.PreSharedKey && server:
		x.accepted = true
		return wire.Parse(e.ExtensionData, new(wire.Empty))
	case e.ExtensionType == registry.PreSharedKey:
		x.psk = new(wire.PreSharedKey)
		return wire.Parse(e.ExtensionData, x.psk)
	case e.ExtensionType == registry.EarlyData && server:
		x.answer = new(wire.EarlyDataAnswer)
		return wire.Parse(e.ExtensionData, x.answer)
	case e.ExtensionType == registry.EarlyData:
		x.early = true
		return wire.Parse(e.ExtensionData, new(wire.Empty))
	case e.ExtensionType == registry.Cookie:
		x.cookie = new(wire.PuzzleSolution)
		return wire.Parse(e.ExtensionData, x.cookie)
	}
	x.request = new(wire.ClientAuthRequest)
	return wire.Parse(e.ExtensionData, x.request)
}
