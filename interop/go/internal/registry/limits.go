package registry

import (
	"fmt"
	"time"
)

// Limits are the numbers that a policy may lower and never raise (POL-16). A zero field stands for its ceiling, which
// Effective fills in.
type Limits struct {
	StepRecords      uint64        // records sealed under one key (ROT-1)
	StepOctets       uint64        // plaintext octets sealed under one key (ROT-1)
	StepBlocks       uint64        // AES-GCM: 16-octet blocks of plaintext sealed under one key (ROT-1)
	StepAge          time.Duration // since the key's first record (ROT-1)
	GenerationAge    time.Duration // since the generation began (ROT-15)
	RecordCut        int           // application octets that go into one record (REC-3, REC-12)
	HandshakeOctets  int           // one handshake message (HS-1)
	HandshakeTime    time.Duration // from connecting or accepting to established (SEC-2)
	HalfOpen         int           // connections of one bound endpoint whose handshake is not over (SEC-3)
	Loaded           int           // of these, so many that a server of policy under_load asks for puzzles
	PuzzleDifficulty int           // bits a client works for (PUZ-3)
	EarlyOctets      int           // application octets of early data (RES-14)
	EarlyRecords     int           // records of early data (RES-14)
	TicketLifetime   time.Duration // since both sides last signed (RES-2)
}

// MaxRecord is the ceiling of a record's plaintext in octets (REC-3), DefaultCut what a sender puts into one (REC-12).
const (
	MaxRecord  = 1 << 20
	DefaultCut = 1 << 16
)

// Ceilings returns the tables limits, bounds and early-bounds, and the ceilings of records, puzzles and tickets.
func Ceilings() Limits {
	return Limits{
		StepRecords:      1 << 32,
		StepOctets:       1 << 40,
		StepBlocks:       1 << 36,
		StepAge:          600 * time.Second,
		GenerationAge:    3600 * time.Second,
		RecordCut:        MaxRecord,
		HandshakeOctets:  1 << 17,
		HandshakeTime:    5 * time.Second,
		HalfOpen:         1024,
		Loaded:           64,
		PuzzleDifficulty: 20,
		EarlyOctets:      16384,
		EarlyRecords:     64,
		TicketLifetime:   604800 * time.Second,
	}
}

// Effective returns the limits with every zero field at its ceiling, and RecordCut at its default.
func (l Limits) Effective() Limits {
	c := Ceilings()
	c.RecordCut = DefaultCut
	return Limits{
		StepRecords:      orElse(l.StepRecords, c.StepRecords),
		StepOctets:       orElse(l.StepOctets, c.StepOctets),
		StepBlocks:       orElse(l.StepBlocks, c.StepBlocks),
		StepAge:          orElse(l.StepAge, c.StepAge),
		GenerationAge:    orElse(l.GenerationAge, c.GenerationAge),
		RecordCut:        orElse(l.RecordCut, c.RecordCut),
		HandshakeOctets:  orElse(l.HandshakeOctets, c.HandshakeOctets),
		HandshakeTime:    orElse(l.HandshakeTime, c.HandshakeTime),
		HalfOpen:         orElse(l.HalfOpen, c.HalfOpen),
		Loaded:           orElse(l.Loaded, c.Loaded),
		PuzzleDifficulty: orElse(l.PuzzleDifficulty, c.PuzzleDifficulty),
		EarlyOctets:      orElse(l.EarlyOctets, c.EarlyOctets),
		EarlyRecords:     orElse(l.EarlyRecords, c.EarlyRecords),
		TicketLifetime:   orElse(l.TicketLifetime, c.TicketLifetime),
	}
}

// Check returns a local error for the first limit that is negative or above its ceiling (POL-16).
func (l Limits) Check() error {
	c := Ceilings()
	for _, limit := range []struct {
		name  string
		wrong bool
	}{
		{"StepRecords", l.StepRecords > c.StepRecords},
		{"StepOctets", l.StepOctets > c.StepOctets},
		{"StepBlocks", l.StepBlocks > c.StepBlocks},
		{"StepAge", outside(l.StepAge, c.StepAge)},
		{"GenerationAge", outside(l.GenerationAge, c.GenerationAge)},
		{"RecordCut", outside(l.RecordCut, c.RecordCut)},
		{"HandshakeOctets", outside(l.HandshakeOctets, c.HandshakeOctets)},
		{"HandshakeTime", outside(l.HandshakeTime, c.HandshakeTime)},
		{"HalfOpen", outside(l.HalfOpen, c.HalfOpen)},
		{"Loaded", outside(l.Loaded, c.Loaded)},
		{"PuzzleDifficulty", outside(l.PuzzleDifficulty, c.PuzzleDifficulty)},
		{"EarlyOctets", outside(l.EarlyOctets, c.EarlyOctets)},
		{"EarlyRecords", outside(l.EarlyRecords, c.EarlyRecords)},
		{"TicketLifetime", outside(l.TicketLifetime, c.TicketLifetime)},
	} {
		if limit.wrong {
			return fmt.Errorf("limit %s is not between 0 and its ceiling (POL-16)", limit.name)
		}
	}
	return nil
}

func orElse[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}

func outside[T int | time.Duration](value, ceiling T) bool { return value < 0 || value > ceiling }
