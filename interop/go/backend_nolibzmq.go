//go:build !cgo

package qzmq

func openLibzmq() (backend, error) { return nil, errNoCgo }
