package main

import (
	"errors"

	"qzmq.test/go/internal/alert"
	"qzmq.test/go/internal/vectors"
)

// vector runs one operation on one test vector.
func vector(asked request) (answer, error) {
	output, err := vectors.Run(asked.Kind, asked.Operation, asked.Input)
	if errors.Is(err, vectors.ErrUnknown) {
		return nil, unsupported(err.Error())
	}
	if got, refused := errors.AsType[*alert.Alert](err); refused {
		refusal := answer{"alert": got.Description.String(), "requirement": got.Requirement}
		if several, ok := errors.AsType[*vectors.Refusal](err); ok {
			refusal["at"] = several.At
		}
		return answer{"refused": refusal}, nil
	}
	return answer{"output": output}, err
}
