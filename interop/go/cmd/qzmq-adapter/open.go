package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	qzmq "qzmq.test/go"
	"qzmq.test/go/internal/registry"
)

// security is what the suite wants set on a socket.
type security struct {
	Policy         policy    `json:"policy"`
	Server         bool      `json:"server"`
	SecretKey      string    `json:"secret_key"`
	ServerKey      string    `json:"server_key"`
	ClientKeys     *[]string `json:"client_keys"`
	Zap            string    `json:"zap"`
	CA             string    `json:"ca"`
	ServerName     string    `json:"server_name"`
	Certificate    string    `json:"certificate"`
	CurveSecretKey string    `json:"curve_secret_key"`
	CurveClients   []string  `json:"curve_clients"`
}

type policy struct {
	Suites [][4]string `json:"suites"`
	Mode   string      `json:"mode"`
	Mixed  bool        `json:"mixed"`
	Limits struct {
		StepRecords       uint64  `json:"step_records"`
		StepOctets        uint64  `json:"step_octets"`
		StepSeconds       float64 `json:"step_seconds"`
		StepBlocks        uint64  `json:"step_blocks"`
		GenerationSeconds float64 `json:"generation_seconds"`
	} `json:"limits"`
	RecordCut        int     `json:"record_cut"`
	Padding          int     `json:"padding"`
	HandshakeTimeout float64 `json:"handshake_timeout"`
	IdentityIsPin    bool    `json:"identity_is_pin"`
	Retry            string  `json:"retry"`
	Difficulty       int     `json:"difficulty"`
	MaxDifficulty    int     `json:"max_difficulty"`
	Tickets          int     `json:"tickets"`
	TicketLifetime   int     `json:"ticket_lifetime"`
	EarlyData        bool    `json:"early_data"`
}

// options translates a policy.
func (p policy) options() (qzmq.Options, error) {
	options := qzmq.Options{
		Mixed: p.Mixed, RecordCut: p.RecordCut, Padding: p.Padding, IdentityIsPin: p.IdentityIsPin,
		KeyRotation: qzmq.KeyRotationPolicy{
			MaxMessages: p.Limits.StepRecords, MaxBytes: p.Limits.StepOctets, MaxBlocks: p.Limits.StepBlocks,
			MaxAge: seconds(p.Limits.StepSeconds), MaxGeneration: seconds(p.Limits.GenerationSeconds),
		},
		AntiDoS: qzmq.AntiDoSPolicy{Difficulty: p.Difficulty, MaxDifficulty: p.MaxDifficulty, Retry: map[string]qzmq.Retry{
			"never": qzmq.RetryNever, "under_load": qzmq.RetryUnderLoad, "always": qzmq.RetryAlways,
		}[p.Retry]},
		Resumption: qzmq.ResumptionPolicy{Tickets: p.Tickets, Lifetime: seconds(float64(p.TicketLifetime)), EarlyData: p.EarlyData},
		Timeouts:   qzmq.TimeoutConfig{Handshake: seconds(p.HandshakeTimeout)},
	}
	var err error
	if options.Mode, err = registry.ModeOf(p.Mode); err != nil {
		return options, err
	}
	for _, names := range p.Suites {
		suite, err := registry.ParseSuite(names[0] + "/" + names[1] + "/" + names[2] + "/" + names[3])
		if err != nil {
			return options, err
		}
		options.Suites = append(options.Suites, suite)
	}
	return options, nil
}

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }

// security translates whose keys are whose; nil is plain ZMTP NULL.
func (s *security) translate() qzmq.Security {
	if s == nil {
		return qzmq.Security{Plaintext: true}
	}
	out := qzmq.Security{
		Role: qzmq.RoleClient, SecretKey: s.SecretKey, ServerName: s.ServerName, CA: []byte(s.CA),
		Certificate: []byte(s.Certificate), CurveSecretKey: s.CurveSecretKey, CurveClients: s.CurveClients,
	}
	if s.Server {
		out.Role = qzmq.RoleServer
	}
	if s.ServerKey != "" {
		out.ServerKeys = []string{s.ServerKey}
	}
	if s.ClientKeys != nil {
		out.ClientKeys = append([]string{}, *s.ClientKeys...)
	}
	return out
}

// opened is an application socket that the suite has opened.
type opened struct {
	number    int
	socket    qzmq.Socket
	transport qzmq.Transport
	before    qzmq.SocketMetrics // what events has told already
}

func (a *adapter) open(asked request) (answer, error) {
	for _, feature := range asked.Features {
		if !slices.Contains(a.capabilities.Features, feature) {
			return nil, unsupported("feature " + feature)
		}
	}
	kind, err := qzmq.SocketTypeOf(asked.Pattern)
	if err != nil {
		return nil, unsupported("pattern " + asked.Pattern)
	}
	options := qzmq.Options{}
	if asked.Security != nil {
		if options, err = asked.Security.Policy.options(); err != nil {
			return nil, err
		}
		options.Resumption.Store = a.tickets
		if zap := asked.Security.Zap; zap != "" {
			if options.Admit, err = admit(zap); err != nil {
				return nil, err
			}
		}
	}
	a.next++
	options.Log, options.Security = a.log.With("case", asked.Case), asked.Security.translate()
	options.Observe = a.observer(a.next)
	transport, err := qzmq.New(options)
	if err != nil {
		return nil, err
	}
	o := &opened{number: a.next, transport: transport}
	if o.socket, err = transport.NewSocket(kind); err == nil {
		err = o.attach(asked)
	}
	if err != nil {
		_ = transport.Close()
		return nil, err
	}
	a.sockets[o.number] = o
	endpoint := asked.Endpoint
	if asked.Bind {
		endpoint = o.socket.LastEndpoint()
	}
	return answer{"socket": o.number, "endpoint": endpoint}, nil
}

// attach sets the options, and binds or connects.
func (o *opened) attach(asked request) error {
	if err := o.socket.SetOption("LINGER", 0); err != nil {
		return err
	}
	asks := asked.Security != nil && !slices.Contains([]string{"PUB", "STREAM", "XPUB"}, asked.Pattern)
	if o.transport.Backend() == qzmq.BackendGo && asks { // libzmq has a peer's properties unasked
		if err := o.socket.SetOption("QZMQ_PROPERTIES", true); err != nil {
			return err
		}
	}
	names := make([]string, 0, len(asked.Options))
	for name := range asked.Options {
		names = append(names, name)
	}
	slices.SortFunc(names, cmp.Compare)
	for _, name := range names {
		value := asked.Options[name]
		if number, ok := value.(float64); ok {
			value = int(number)
		}
		if err := o.socket.SetOption(name, value); err != nil {
			return fmt.Errorf("option %s: %w", name, err)
		}
	}
	if asked.Bind {
		return o.socket.Bind(asked.Endpoint)
	}
	return o.socket.Connect(asked.Endpoint)
}
