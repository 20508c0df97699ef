package qzmq

import (
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"time"

	"qzmq.test/go/internal/binding"
	"qzmq.test/go/internal/bridge"
	"qzmq.test/go/internal/certificate"
	"qzmq.test/go/internal/link"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/session"
	"qzmq.test/go/internal/tickets"
)

// Role is a socket's part in the handshake. It does not depend on who binds.
type Role int

// The roles. RoleAuto makes whoever binds the server.
const (
	RoleAuto Role = iota
	RoleClient
	RoleServer
)

// Security is whom a socket is and whom it trusts. Keys are 40 Z85 characters.
type Security struct {
	Role      Role
	SecretKey string // this side's own; a client without one is anonymous

	ServerKeys []string // client: the pins of the servers it trusts
	ClientKeys []string // server: the pins of the clients it admits; nil admits anyone, empty nobody

	Certificate []byte // this side's certificates in PEM, leaf first, beside SecretKey; empty sends the bare key
	CA          []byte // certificates in PEM of the authorities that are trusted beside the pins
	ServerName  string // client with CA: the name or address that the server's certificate must have

	// CurveSecretKey lets a server serve CURVE clients on the port that it binds, beside those of QZMQ; the backend must be
	// libzmq, and the socket takes no other endpoint after it. CurveClients are the public keys of those that it admits;
	// without one it admits none (ZMTP-15).
	CurveSecretKey string
	CurveClients   []string

	Plaintext bool // plain ZMTP NULL, for comparison: nothing is secured, and no key may be set
}

// String shows no key.
func (s Security) String() string {
	return fmt.Sprintf("Security{Role: %d, ServerName: %q, Plaintext: %v}", s.Role, s.ServerName, s.Plaintext)
}

// GoString is String.
func (s Security) GoString() string { return s.String() }

var (
	errNeedsKey = errors.New("a QZMQ server needs its secret key: set Security.SecretKey, or the option QZMQ_SECRETKEY, " +
		"to 40 Z85 characters as Keypair makes them (CERT-6)")
	errNeedsPin = errors.New("a QZMQ client needs the key of its server: set Security.ServerKeys, or the option " +
		"QZMQ_SERVERKEY, to its public key, or Security.CA and ServerName (CERT-6)")
	errPlaintextKey = errors.New("Security.Plaintext beside a key: nothing would be secured by it")
)

// server says whether a socket that binds, or connects, is the QZMQ server.
func (s Security) server(bind bool) bool { return s.Role == RoleServer || s.Role == RoleAuto && bind }

func (s Security) checkPlaintext() error {
	if s.SecretKey != "" || s.ServerKeys != nil || s.ClientKeys != nil || s.CA != nil || s.CurveSecretKey != "" {
		return errPlaintextKey
	}
	return nil
}

func signingKey(policy registry.Policy, secret string) (primitive.SigningKey, error) {
	seed, err := certificate.ParseKey(secret)
	if err != nil {
		return nil, fmt.Errorf("secret key: %w", err)
	}
	return primitive.NewSigningKey(policy.SeedAlgorithm(), seed)
}

// config is what every session of one bind or connect has in common (POL-14).
func (s *socket) config(security Security, bind bool) (*session.Config, error) {
	policy, err := s.options.policy()
	if err != nil {
		return nil, err
	}
	config := &session.Config{
		Role: session.Client, Policy: policy, Padding: s.options.Padding, IdentityIsPin: s.options.IdentityIsPin,
		ServerName: security.ServerName, EarlyData: s.options.Resumption.EarlyData, Rand: rand.Reader, Now: time.Now,
	}
	if s.kind != STREAM {
		config.SocketType, config.Metadata = s.kind.String(), s.metadata()
	}
	if security.SecretKey != "" {
		if config.Key, err = signingKey(policy, security.SecretKey); err != nil {
			return nil, err
		}
	}
	if config.Anchors, err = certificate.ParseAnchors(certificates(security.CA)...); err != nil {
		return nil, err
	}
	config.Chain = certificates(security.Certificate)
	if security.server(bind) {
		err = s.configureServer(config, security)
	} else {
		err = s.configureClient(config, security)
	}
	if err != nil {
		return nil, err
	}
	return config, config.Check()
}

func (s *socket) configureServer(config *session.Config, security Security) error {
	if config.Key == nil {
		return errNeedsKey
	}
	config.Role = session.Server
	if security.ClientKeys != nil {
		pins, err := parsePins(security.ClientKeys)
		if err != nil {
			return err
		}
		config.ClientPins = make(map[session.Pin]struct{}, len(pins))
		for _, pin := range pins {
			config.ClientPins[pin] = struct{}{}
		}
	}
	config.Retry, config.Difficulty = s.options.AntiDoS.Retry, s.options.AntiDoS.Difficulty
	if resumption := s.options.Resumption; resumption.Tickets > 0 {
		store := resumption.Store
		if store == nil {
			store = NewTicketStore()
		}
		config.Issued, config.Tickets = store, resumption.Tickets
	}
	if s.options.Admit != nil {
		config.AsksZap = func() (bool, error) { return true, nil }
	}
	return nil
}

func (s *socket) configureClient(config *session.Config, security Security) (err error) {
	if len(security.ServerKeys) == 0 && len(config.Anchors) == 0 {
		return errNeedsPin
	}
	if s.options.Resumption.Tickets > 0 {
		config.Held = tickets.NewCache(time.Now)
	}
	config.ServerPins, err = parsePins(security.ServerKeys)
	return err
}

func parsePins(keys []string) ([]session.Pin, error) {
	pins := make([]session.Pin, 0, len(keys))
	for _, key := range keys {
		pin, err := certificate.ParseKey(key)
		if err != nil {
			return nil, fmt.Errorf("public key: %w", err)
		}
		pins = append(pins, pin)
	}
	return pins, nil
}

func certificates(text []byte) (ders [][]byte) {
	for len(text) > 0 {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type == "CERTIFICATE" {
			ders = append(ders, block.Bytes)
		}
	}
	return ders
}

// links are how a bind's or connect's sessions are made and watched.
func (s *socket) links(config *session.Config) bridge.Options {
	limits := config.Policy.Limits.Effective()
	interval, most := s.reconnect()
	return bridge.Options{
		Make: func(address string, own []session.Property, unfinished func() int) (link.Session, error) {
			mine := *config
			if mine.Held != nil && s.withholds() {
				mine.Held = withheld{mine.Held}
			}
			if own != nil {
				mine.Metadata = own
			}
			if unfinished != nil {
				mine.Loaded = func() bool { return unfinished() > limits.Loaded }
			}
			return session.New(&mine, s.binding(config.Role == session.Server), address)
		},
		Hooks:             link.Hooks{Zap: s.admit, Event: s.event},
		HalfOpen:          limits.HalfOpen,
		ReconnectInterval: interval, ReconnectIntervalMax: most,
	}
}

// withheld keeps tickets, and offers none.
type withheld struct{ session.TicketCache }

func (withheld) Take() *session.Ticket { return nil }

func (s *socket) binding(server bool) binding.Binding {
	if s.kind == STREAM {
		return binding.NewRaw(server)
	}
	return binding.NewZMTP(server)
}

// metadata is what READY would carry before the application's socket has been asked.
func (s *socket) metadata() []session.Property {
	properties := []session.Property{{Name: []byte("Socket-Type"), Value: []byte(s.kind.String())}}
	if slices.Contains([]SocketType{REQ, DEALER, ROUTER}, s.kind) {
		properties = append(properties, session.Property{Name: []byte("Identity"), Value: []byte(s.identity())})
	}
	return properties
}
