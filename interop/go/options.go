package qzmq

import (
	"log/slog"
	"time"

	"qzmq.test/go/internal/handshake"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/tickets"
)

// Suite is a cipher suite: one algorithm of each kind.
type Suite = registry.Suite

// The kinds of algorithm in a Suite (spec/registries.md).
type (
	KemAlgorithm       = registry.KemId
	SignatureAlgorithm = registry.SigId
	AeadAlgorithm      = registry.AeadId
	HashAlgorithm      = registry.HashId
)

// The algorithms.
const (
	X25519                = registry.X25519
	MLKEM768              = registry.MLKEM768
	MLKEM1024             = registry.MLKEM1024
	HybridX25519MLKEM768  = registry.X25519MLKEM768
	HybridX25519MLKEM1024 = registry.X25519MLKEM1024

	Ed25519 = registry.Ed25519
	MLDSA44 = registry.MLDSA44
	MLDSA65 = registry.MLDSA65
	MLDSA87 = registry.MLDSA87

	AES256GCM        = registry.AES256GCM
	ChaCha20Poly1305 = registry.ChaCha20Poly1305

	SHA256 = registry.SHA256
	SHA384 = registry.SHA384
	SHA512 = registry.SHA512
)

// Mode bounds what suites a policy may hold (table modes).
type Mode = registry.Mode

// The modes.
const (
	ModeHybrid    = registry.Hybrid
	ModePQOnly    = registry.PQOnly
	ModeClassical = registry.Classical
)

// Retry says when a server asks its clients for work before it does some itself (spec/puzzle.md).
type Retry = handshake.Retry

// The answers to that.
const (
	RetryNever     = handshake.RetryNever
	RetryUnderLoad = handshake.RetryUnderLoad
	RetryAlways    = handshake.RetryAlways
)

// Options are what the sockets of a Transport have in common. They are taken as they stand (POL-14).
type Options struct {
	Backend Backend // which ZeroMQ library is below

	Preset string  // the policy by its name in table presets, empty for "default"; not beside Suites
	Suites []Suite // the policy's suites, most preferred first
	Mode   Mode    // the mode of Suites; hybrid if it is not said (POL-10)
	Mixed  bool    // Suites may be of other modes too (POL-8)

	KeyRotation KeyRotationPolicy
	AntiDoS     AntiDoSPolicy
	Resumption  ResumptionPolicy
	Timeouts    TimeoutConfig

	RecordCut     int  // application octets in one record at most; 0 for 65536 (REC-12)
	Padding       int  // pad records to a multiple of this (REC-13); 0 does not
	IdentityIsPin bool // a peer's routing identity must be empty or its pin (PAT-9)

	Security Security                       // whose keys; a socket's options may say otherwise
	Admit    func(AdmitRequest) AdmitAnswer // judges each client, as a ZAP handler does; nil is not asked

	Log     *slog.Logger        // gets a line for each connection that ends badly; nil logs nothing
	Observe func(Socket, Event) // is told what becomes of connections, from any goroutine; nil is not
}

// KeyRotationPolicy lowers the limits of one key; zero stands for the ceiling in table limits.
type KeyRotationPolicy struct {
	MaxMessages   uint64        // records sealed under one key
	MaxBytes      uint64        // octets sealed under one key
	MaxBlocks     uint64        // AES-GCM: blocks of 16 octets sealed under one key
	MaxAge        time.Duration // of a key
	MaxGeneration time.Duration // until a fresh key exchange
}

// AntiDoSPolicy says how a side defends itself before it knows its peer (spec/puzzle.md, table bounds).
type AntiDoSPolicy struct {
	Retry         Retry // server: when to ask for puzzles
	Difficulty    int   // server: bits of a puzzle, at most 20
	MaxDifficulty int   // client: bits it works for; 0 for 20
	HalfOpen      int   // server: unfinished handshakes of an endpoint; 0 for 1024
}

// ResumptionPolicy is about tickets (spec/resumption.md).
type ResumptionPolicy struct {
	Tickets  int           // server: how many to send a client; 0 neither sends nor takes any. Client: 0 keeps none
	Lifetime time.Duration // server: of a ticket; 0 for 7 days

	// EarlyData lets a client with a ticket speak before the handshake is over, and a server listen. It saves a round
	// trip, and loses freshness against a replay to another server (spec/resumption.md, "Early data").
	EarlyData bool

	Store *TicketStore // server: where tickets are kept; nil makes a store for each bind
}

// TicketStore keeps a server's tickets in memory. Sockets that share one know each other's tickets, where key, suites and
// whom they admit are the same (RES-5).
type TicketStore = tickets.Store

// NewTicketStore makes an empty store.
func NewTicketStore() *TicketStore { return tickets.NewStore(time.Now) }

// TimeoutConfig is about time.
type TimeoutConfig struct {
	Handshake    time.Duration // from connecting to established; 0 for 5 seconds (SEC-2)
	Linger       time.Duration // how long Close waits for what was sent; negative for ever
	Reconnect    time.Duration // between two attempts to reach a peer; 0 for 100 ms
	ReconnectMax time.Duration // up to which Reconnect doubles; 0 does not double it
}

// DefaultOptions is the policy for everyone: X25519 and ML-KEM-768, so that either may fail.
func DefaultOptions() Options {
	return Options{
		Resumption: ResumptionPolicy{Tickets: handshake.DefaultTickets},
		Timeouts:   TimeoutConfig{Linger: 10 * time.Second},
	}
}

// ConservativeOptions has larger post-quantum parameters, and steps keys earlier.
func ConservativeOptions() Options {
	options := DefaultOptions()
	options.Preset = "conservative"
	options.KeyRotation = KeyRotationPolicy{MaxMessages: 1 << 20, MaxAge: 5 * time.Minute}
	return options
}

// PerformanceOptions is classical: for where nobody with a quantum computer matters, now or later.
func PerformanceOptions() Options {
	options := DefaultOptions()
	options.Preset = "performance"
	return options
}

// policy is what the options say, checked (POL-1 to POL-16).
func (o Options) policy() (registry.Policy, error) {
	policy := registry.Policy{Mode: o.Mode, Mixed: o.Mixed, Suites: o.Suites}
	if len(o.Suites) == 0 {
		name := o.Preset
		if name == "" {
			name = "default"
		}
		preset, err := registry.Preset(name)
		if err != nil {
			return registry.Policy{}, err
		}
		policy = preset
	}
	policy.Limits = registry.Limits{
		StepRecords: o.KeyRotation.MaxMessages, StepOctets: o.KeyRotation.MaxBytes, StepBlocks: o.KeyRotation.MaxBlocks,
		StepAge: o.KeyRotation.MaxAge, GenerationAge: o.KeyRotation.MaxGeneration,
		RecordCut: o.RecordCut, HandshakeTime: o.Timeouts.Handshake, HalfOpen: o.AntiDoS.HalfOpen,
		PuzzleDifficulty: o.AntiDoS.MaxDifficulty, TicketLifetime: o.Resumption.Lifetime,
	}
	return policy, policy.Check()
}

func (o Options) log() *slog.Logger {
	if o.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return o.Log
}

func (o Options) reconnect() (interval, most time.Duration) {
	if o.Timeouts.Reconnect == 0 {
		return 100 * time.Millisecond, o.Timeouts.ReconnectMax
	}
	return o.Timeouts.Reconnect, o.Timeouts.ReconnectMax
}

// ParseSuite reads the four names of a suite between slashes, as X-QZMQ-Suite writes them.
func ParseSuite(text string) (Suite, error) { return registry.ParseSuite(text) }
