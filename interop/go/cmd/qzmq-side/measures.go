package main

import (
	"slices"
	"time"
)

// measures are the functions of qzmq_interop/throughput/measures.py that this program has, by their names there.
var measures = map[string]func(*side, plan) (figures, error){
	"stream_server":      streamServer,
	"stream_client":      streamClient,
	"echo_server":        echoServer,
	"latency_client":     latencyClient,
	"first_echo_client":  firstEchoClient,
	"sealing_server":     sealingServer,
	"handshaking_server": handshakingServer,
	"idle_client":        func(*side, plan) (figures, error) { return figures{}, nil },
}

// streamServer is PULL: the rate from the end of the warm-up on, once every session has brought a message.
func streamServer(s *side, p plan) (figures, error) {
	pull, err := s.bind("PULL")
	if err != nil {
		return nil, err
	}
	defer pull.close()
	if err := receive(pull, p.Sessions); err != nil {
		return nil, err
	}
	if err := s.tell("connected"); err != nil {
		return nil, err
	}
	if err := receive(pull, p.WarmUp); err != nil {
		return nil, err
	}
	began := time.Now()
	if err := receive(pull, p.Messages); err != nil {
		return nil, err
	}
	rate := float64(p.Messages) / time.Since(began).Seconds()
	return figures{"messages_per_s": rate, "octets_per_s": rate * float64(p.Size)}, s.tell("received")
}

// streamClient is PUSH over every session in turn.
func streamClient(s *side, p plan) (figures, error) {
	endpoint, err := s.hear()
	if err != nil {
		return nil, err
	}
	payload := make([]byte, p.Size)
	pushes := make([]socket, p.Sessions)
	for i := range pushes {
		if pushes[i], err = s.connect("PUSH", endpoint); err != nil {
			return nil, err
		}
		defer pushes[i].close()
		if err := pushes[i].send(payload); err != nil {
			return nil, err
		}
	}
	if _, err := s.hear(); err != nil {
		return nil, err
	}
	for i := range p.WarmUp + p.Messages {
		if err := pushes[i%p.Sessions].send(payload); err != nil {
			return nil, err
		}
	}
	_, err = s.hear()
	return figures{}, err
}

// echoServer is REP: it echoes until the client has what it came for.
func echoServer(s *side, p plan) (figures, error) {
	rep, err := s.bind("REP")
	if err != nil {
		return nil, err
	}
	defer rep.close()
	for range p.WarmUp + p.Messages {
		message, err := rep.recv()
		if err != nil {
			return nil, err
		}
		if err := rep.send(message); err != nil {
			return nil, err
		}
	}
	_, err = s.hear()
	return figures{}, err
}

// latencyClient is REQ: the median round trip of one session.
func latencyClient(s *side, p plan) (figures, error) {
	endpoint, err := s.hear()
	if err != nil {
		return nil, err
	}
	req, err := s.connect("REQ", endpoint)
	if err != nil {
		return nil, err
	}
	defer req.close()
	return s.timed(p, func() error { return echo(req, p.Size) })
}

// firstEchoClient is REQ: the median time from a new socket's connect to its first echo.
func firstEchoClient(s *side, p plan) (figures, error) {
	endpoint, err := s.hear()
	if err != nil {
		return nil, err
	}
	return s.timed(p, func() error {
		req, err := s.connect("REQ", endpoint)
		if err != nil {
			return err
		}
		defer req.close()
		return echo(req, p.Size)
	})
}

// timed is the median time of a piece of work after the warm-up.
func (s *side) timed(p plan, work func() error) (figures, error) {
	times := make([]float64, 0, p.WarmUp+p.Messages)
	for range p.WarmUp + p.Messages {
		began := time.Now()
		if err := work(); err != nil {
			return nil, err
		}
		times = append(times, time.Since(began).Seconds())
	}
	measured := times[p.WarmUp:]
	slices.Sort(measured)
	return figures{"seconds": measured[len(measured)/2]}, s.tell("done")
}

// bind makes a server's socket on a free port and tells the other end where it is.
func (s *side) bind(kind string) (socket, error) {
	opened, err := s.stack.open(kind)
	if err != nil {
		return nil, err
	}
	endpoint, err := opened.bind()
	if err != nil {
		return nil, err
	}
	return opened, s.tell(endpoint)
}

func (s *side) connect(kind, endpoint string) (socket, error) {
	opened, err := s.stack.open(kind)
	if err != nil {
		return nil, err
	}
	return opened, opened.connect(endpoint)
}

func receive(from socket, messages int) error {
	for range messages {
		if _, err := from.recv(); err != nil {
			return err
		}
	}
	return nil
}

func echo(req socket, size int) error {
	if err := req.send(make([]byte, size)); err != nil {
		return err
	}
	_, err := req.recv()
	return err
}
