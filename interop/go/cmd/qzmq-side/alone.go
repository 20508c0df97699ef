package main

import (
	"crypto/rand"
	"fmt"
	"time"

	"qzmq.test/go/internal/binding"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/record"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/session"
)

// first is the suite that is most preferred.
func (s *side) first() (registry.Suite, error) {
	if len(s.opening.Suites) == 0 {
		return registry.Suite{}, fmt.Errorf("%s has no suite", s.opening.Mechanism)
	}
	return suiteOf(s.opening.Suites[0])
}

// sealingServer seals records of the plan's size one after the other, without a socket.
func sealingServer(s *side, p plan) (figures, error) {
	suite, err := s.first()
	if err != nil {
		return nil, err
	}
	hash, err := primitive.NewHash(suite.Hash)
	if err != nil {
		return nil, err
	}
	limits := registry.Limits{RecordCut: registry.MaxRecord}
	writer := record.NewWriter(record.Cipher{Aead: suite.Aead, Hash: hash}, limits.Effective(), 0)
	size, _ := suite.Hash.Size()
	if err := writer.Begin(1, make([]byte, size)); err != nil {
		return nil, err
	}
	plaintext, out := make([]byte, p.Size), make([]byte, 0, p.Size+record.Overhead)
	var began time.Time
	for i := range p.WarmUp + p.Messages {
		if i == p.WarmUp {
			began = time.Now()
		}
		if _, err := writer.AppendData(out, plaintext, began); err != nil {
			return nil, err
		}
	}
	return figures{"octets_per_s": float64(p.Messages*p.Size) / time.Since(began).Seconds()}, nil
}

// handshakingServer plays both sides of whole handshakes in memory, each with a key.
func handshakingServer(s *side, p plan) (figures, error) {
	suite, err := s.first()
	if err != nil {
		return nil, err
	}
	client, server, err := configs(suite)
	if err != nil {
		return nil, err
	}
	var before float64
	for i := range p.WarmUp + p.Messages {
		if i == p.WarmUp {
			before = processorTime()
		}
		if err := shake(client, server); err != nil {
			return nil, err
		}
	}
	return figures{"seconds": (processorTime() - before) / float64(p.Messages)}, nil
}

func configs(suite registry.Suite) (client, server *session.Config, err error) {
	policy := registry.Policy{Mode: modeOf(suite), Suites: []registry.Suite{suite}}
	var own [2]primitive.SigningKey
	for i := range own {
		var seed [primitive.SeedSize]byte
		if _, err := rand.Read(seed[:]); err != nil {
			return nil, nil, err
		}
		if own[i], err = primitive.NewSigningKey(suite.Sig, seed); err != nil {
			return nil, nil, err
		}
	}
	client = &session.Config{
		Role: session.Client, Policy: policy, Key: own[0], ServerPins: []session.Pin{primitive.Pin(own[1].SPKI())},
		Rand: rand.Reader, Now: time.Now,
	}
	server = &session.Config{
		Role: session.Server, Policy: policy, Key: own[1],
		ClientPins: map[session.Pin]struct{}{primitive.Pin(own[0].SPKI()): {}},
		Rand:       rand.Reader, Now: time.Now,
	}
	return client, server, nil
}

// shake carries octets both ways, over the raw binding, until both sides are silent.
func shake(clientConfig, serverConfig *session.Config) error {
	client, err := session.New(clientConfig, binding.NewRaw(false), "192.0.2.1")
	if err != nil {
		return err
	}
	server, err := session.New(serverConfig, binding.NewRaw(true), "192.0.2.2")
	if err != nil {
		return err
	}
	for {
		up, down := client.Output(), server.Output()
		if len(up)+len(down) == 0 {
			break
		}
		server.Receive(up)
		client.Receive(down)
	}
	if client.State() != "established" || server.State() != "established" {
		return fmt.Errorf("a handshake between equals ended in %s and %s", client.State(), server.State())
	}
	return nil
}
