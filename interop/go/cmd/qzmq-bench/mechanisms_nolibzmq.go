//go:build !cgo

package main

func libzmqMechanisms() []mechanism { return nil }
