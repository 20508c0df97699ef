package puzzle

import (
	"slices"

	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/wire"
)

// without returns a copy of the hello that lacks one extension.
func without(hello *wire.ClientHello, gone registry.ExtensionType) *wire.ClientHello {
	changed := *hello
	changed.Extensions = slices.DeleteFunc(slices.Clone(hello.Extensions), func(e wire.Extension) bool {
		return e.ExtensionType == gone
	})
	return &changed
}

// with returns a copy of the hello that has the solution last, or in front of pre_shared_key.
func with(hello *wire.ClientHello, solution wire.PuzzleSolution) (*wire.ClientHello, error) {
	data, err := wire.Append(nil, &solution)
	if err != nil {
		return nil, err
	}
	changed := *hello
	at := len(hello.Extensions)
	if at > 0 && hello.Extensions[at-1].ExtensionType == registry.PreSharedKey {
		at--
	}
	cookie := wire.Extension{ExtensionType: registry.Cookie, ExtensionData: data}
	changed.Extensions = slices.Insert(slices.Clone(hello.Extensions), at, cookie)
	return &changed, nil
}

// find returns the hello's solution, if it has one.
func find(hello *wire.ClientHello) (solution wire.PuzzleSolution, found bool, err error) {
	for _, e := range hello.Extensions {
		if e.ExtensionType == registry.Cookie {
			err = wire.Parse(e.ExtensionData, &solution)
			return solution, true, err
		}
	}
	return solution, false, nil
}

// encode returns the hello's octets from the type octet on, with its binder's set to zero.
func encode(hello *wire.ClientHello) ([]byte, error) {
	blank := *hello
	blank.Extensions = slices.Clone(hello.Extensions)
	for i := range blank.Extensions {
		e := &blank.Extensions[i]
		if e.ExtensionType != registry.PreSharedKey {
			continue
		}
		var offer wire.PreSharedKey
		if err := wire.Parse(e.ExtensionData, &offer); err != nil {
			return nil, err
		}
		offer.Binder = make([]byte, len(offer.Binder))
		data, err := wire.Append(nil, &offer)
		if err != nil {
			return nil, err
		}
		e.ExtensionData = data
	}
	return wire.Append([]byte{byte(registry.TypeClientHello)}, &blank)
}
