package main

import (
	"fmt"
	"strings"
	"time"

	qzmq "qzmq.test/go"
	"qzmq.test/go/internal/registry"
)

const (
	anywhere = "tcp://127.0.0.1:*"
	backlog  = 1024        // as the reference's sides have it
	patience = time.Minute // without progress, after which a measurement has failed
)

// stack is a ZeroMQ library under one mechanism.
type stack interface {
	open(kind string) (socket, error)
	close() error
}

// socket is what the measurements need of one.
type socket interface {
	bind() (endpoint string, err error)
	connect(endpoint string) error
	send(message []byte) error
	recv() ([]byte, error)
	close() error
}

// secured is this module's own sockets.
type secured struct {
	transport qzmq.Transport
	security  qzmq.Security
}

func newSecured(o opening) (stack, error) {
	options := qzmq.DefaultOptions()
	options.Timeouts.Linger = 0
	for _, text := range o.Suites {
		suite, err := suiteOf(text)
		if err != nil {
			return nil, err
		}
		options.Suites = append(options.Suites, suite)
		options.Mode = modeOf(suite)
	}
	transport, err := qzmq.New(options)
	if err != nil {
		return nil, err
	}
	if o.Role == "server" {
		return &secured{transport, qzmq.Security{
			Role: qzmq.RoleServer, SecretKey: o.Keys.ServerSecret, ClientKeys: []string{o.Keys.ClientPublic},
		}}, nil
	}
	return &secured{transport, qzmq.Security{
		Role: qzmq.RoleClient, SecretKey: o.Keys.ClientSecret, ServerKeys: []string{o.Keys.ServerPublic},
	}}, nil
}

func (s *secured) open(name string) (socket, error) {
	kind, err := qzmq.SocketTypeOf(name)
	if err != nil {
		return nil, err
	}
	opened, err := s.transport.NewSocket(kind)
	if err != nil {
		return nil, err
	}
	for option, value := range map[string]any{
		"QZMQ_SECURITY": s.security,
		"RCVTIMEO":      int(patience.Milliseconds()),
		"SNDTIMEO":      int(patience.Milliseconds()),
	} {
		if err := opened.SetOption(option, value); err != nil {
			return nil, err
		}
	}
	return securedSocket{opened}, nil
}

func (s *secured) close() error { return s.transport.Close() }

type securedSocket struct{ qzmq.Socket }

func (s securedSocket) bind() (string, error) {
	err := s.Bind(anywhere)
	return s.LastEndpoint(), err
}

func (s securedSocket) connect(endpoint string) error { return s.Connect(endpoint) }
func (s securedSocket) send(message []byte) error     { return s.Send(message) }
func (s securedSocket) recv() ([]byte, error)         { return s.Recv() }
func (s securedSocket) close() error                  { return s.Close() }

// suiteOf reads the names of a suite's algorithms, such as X25519_ML_KEM_768/ML_DSA_44/AES_256_GCM/SHA_256.
func suiteOf(text string) (suite qzmq.Suite, err error) {
	names := strings.Split(strings.ToLower(text), "/")
	if len(names) != 4 {
		return suite, fmt.Errorf("suite %q is not four names", text)
	}
	for i, part := range []interface{ UnmarshalText([]byte) error }{&suite.Kem, &suite.Sig, &suite.Aead, &suite.Hash} {
		if err := part.UnmarshalText([]byte(names[i])); err != nil {
			return suite, fmt.Errorf("suite %q: %w", text, err)
		}
	}
	return suite, nil
}

func modeOf(suite qzmq.Suite) qzmq.Mode {
	switch suite.Kem {
	case registry.X25519:
		return qzmq.ModeClassical
	case registry.MLKEM768, registry.MLKEM1024:
		return qzmq.ModePQOnly
	}
	return qzmq.ModeHybrid
}
