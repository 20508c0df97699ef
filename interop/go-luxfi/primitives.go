package main

import (
	"bytes"
	"encoding/hex"

	"github.com/luxfi/qzmq"
)

// primitives tries what the module exports and reports what came out of it, octet by octet; who reads it judges.
func primitives() []answer {
	found := []answer{}
	for _, each := range []struct {
		algorithm, name string
		kem             qzmq.KEM
	}{
		{"x25519", "X25519KEM", &qzmq.X25519KEM{}},
		{"ml_kem_768", "MLKEM768Type", &qzmq.MLKEM768Type{}},
		{"ml_kem_1024", "MLKEM1024Type", &qzmq.MLKEM1024Type{}},
		{"ml_kem_768", "RealMLKEM768", &qzmq.RealMLKEM768{}},
		{"ml_kem_1024", "RealMLKEM1024", &qzmq.RealMLKEM1024{}},
		{"x25519_ml_kem_768", "HybridKEM", qzmq.NewHybridKEM(&qzmq.X25519KEM{}, &qzmq.MLKEM768Type{})},
		{"x25519_ml_kem_768", "HybridMLKEM", qzmq.NewHybridMLKEM()},
	} {
		found = append(found, tryKEM(each.algorithm, each.name, each.kem))
	}
	for _, each := range []struct {
		algorithm, name string
		signer          qzmq.Signer
	}{
		{"ed25519", "Ed25519Signer", &qzmq.Ed25519Signer{}},
		{"ml_dsa_44", "MLDSASigner", &qzmq.MLDSASigner{}},
	} {
		found = append(found, trySigner(each.algorithm, each.name, each.signer))
	}
	return found
}

// tryKEM is one exchange with itself.
func tryKEM(algorithm, name string, kem qzmq.KEM) answer {
	told := answer{"kind": "kem", "algorithm": algorithm, "name": name}
	public, private, err := kem.GenerateKeyPair()
	if err != nil {
		return failed(told, err)
	}
	ciphertext, sent, err := kem.Encapsulate(public)
	if err != nil {
		return failed(told, err)
	}
	received, err := kem.Decapsulate(private, ciphertext)
	if err != nil {
		return failed(told, err)
	}
	told["public_key"] = hex.EncodeToString(public.Bytes())
	told["ciphertext"] = hex.EncodeToString(ciphertext)
	told["sent"] = hex.EncodeToString(sent)
	told["received"] = hex.EncodeToString(received)
	return told
}

// trySigner is one signature, and what the module thinks of it and of forgeries.
func trySigner(algorithm, name string, signer qzmq.Signer) answer {
	told := answer{"kind": "signature", "algorithm": algorithm, "name": name}
	key, err := signer.GenerateKey()
	if err != nil {
		return failed(told, err)
	}
	message := []byte("what is signed")
	signature, err := signer.Sign(key, message)
	if err != nil {
		return failed(told, err)
	}
	flipped := bytes.Clone(signature)
	flipped[0] ^= 1
	told["public_key"] = hex.EncodeToString(key.Public().Bytes())
	told["message"] = hex.EncodeToString(message)
	told["signature"] = hex.EncodeToString(signature)
	told["accepts"] = answer{
		"the signature":       signer.Verify(key.Public(), message, signature),
		"a flipped bit":       signer.Verify(key.Public(), message, flipped),
		"another message":     signer.Verify(key.Public(), []byte("what is not signed"), signature),
		"zeroes of that size": signer.Verify(key.Public(), message, make([]byte, len(signature))),
	}
	return told
}

func failed(told answer, err error) answer {
	told["error"] = err.Error()
	return told
}
