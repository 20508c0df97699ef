package main

import (
	"fmt"
	"time"
)

// measurement is one kind of figure. Its sample is a number of messages a second, or of seconds.
type measurement struct {
	name     string
	size     int // octets of a message
	messages int
	rate     bool // the sample is messages a second: more is better
	run      func(m mechanism, other *client, count int) (float64, error)
}

var measurements = []measurement{
	stream("PUSH/PULL 64 B", 64, 400_000),
	stream("PUSH/PULL 1 KiB", 1<<10, 200_000),
	stream("PUSH/PULL 16 KiB", 16<<10, 30_000),
	stream("PUSH/PULL 64 KiB", 64<<10, 10_000),
	stream("PUSH/PULL 1 MiB", 1<<20, 800),
	{name: "REQ/REP", size: 64, messages: 4_000, run: roundTrips},
	{name: "first echo", size: 64, messages: 10, run: firstEchoes},
}

// count is how many messages a measurement takes; go-zeromq is slow with small ones.
func (m measurement) count(scale float64, backend string) int {
	messages := float64(m.messages) * scale
	if backend == "go" && m.size <= 1<<10 {
		messages /= 8
	}
	if m.name == "first echo" {
		messages = float64(m.messages)
	}
	return max(int(messages), 2)
}

func stream(name string, size, messages int) measurement {
	return measurement{name: name, size: size, messages: messages, rate: true,
		run: func(m mechanism, other *client, count int) (float64, error) {
			s, endpoint, key, err := m.listen("PULL")
			if err != nil {
				return 0, err
			}
			defer func() { _ = s.Close() }()
			if err := other.ask(task{"push", m.name(), lastEndpoint(s, endpoint), key, size, count + 1}); err != nil {
				return 0, err
			}
			seconds, err := receive(s, size, count)
			if err != nil {
				return 0, err
			}
			_, err = other.answer()
			return float64(count) / seconds, err
		},
	}
}

// receive tells how long count messages take, from the arrival of one before them.
func receive(s socket, size, count int) (float64, error) {
	var began time.Time
	for n := range count + 1 {
		message, err := s.Recv()
		if err != nil {
			return 0, err
		}
		if len(message) != size {
			return 0, fmt.Errorf("a message of %d octets instead of %d", len(message), size)
		}
		if n == 0 {
			began = time.Now()
		}
	}
	return time.Since(began).Seconds(), nil
}

// roundTrips is the time of one round trip in seconds.
func roundTrips(m mechanism, other *client, count int) (float64, error) {
	seconds, err := echo(m, other, task{What: "request", Size: 64, Count: count}, count+1)
	return seconds / float64(count), err
}

// firstEchoes is the time from a new client to its first echo, in seconds.
func firstEchoes(m mechanism, other *client, count int) (float64, error) {
	seconds, err := echo(m, other, task{What: "first", Size: 64, Count: count}, count)
	return seconds / float64(count), err
}

// echo answers messages, and returns what the client measured.
func echo(m mechanism, other *client, t task, messages int) (float64, error) {
	s, endpoint, key, err := m.listen("REP")
	if err != nil {
		return 0, err
	}
	defer func() { _ = s.Close() }()
	t.Mechanism, t.Endpoint, t.Key = m.name(), lastEndpoint(s, endpoint), key
	if err := other.ask(t); err != nil {
		return 0, err
	}
	for range messages {
		message, err := s.Recv()
		if err == nil {
			err = s.Send(message)
		}
		if err != nil {
			return 0, err
		}
	}
	return other.answer()
}
