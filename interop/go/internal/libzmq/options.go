//go:build cgo

package libzmq

import (
	"fmt"
	"time"
)

// SetOption sets a socket option by libzmq's name without ZMQ_. Times are in milliseconds as in libzmq.
func (s *Socket) SetOption(name string, value any) error {
	switch v := value.(type) {
	case bool:
		if v {
			return s.SetOption(name, 1)
		}
		return s.SetOption(name, 0)
	case int:
		return s.setInt(name, v)
	case string:
		return s.setString(name, v)
	case []byte:
		return s.setString(name, string(v))
	}
	return fmt.Errorf("option %s: %T is not bool, int, string or []byte", name, value)
}

func (s *Socket) setString(name, value string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.zmq == nil {
		return ErrClosed
	}
	switch name {
	case "SUBSCRIBE":
		return s.zmq.SetSubscribe(value)
	case "UNSUBSCRIBE":
		return s.zmq.SetUnsubscribe(value)
	case "ROUTING_ID":
		return s.zmq.SetIdentity(value)
	case "CONNECT_ROUTING_ID":
		return s.zmq.SetConnectRid(value)
	case "XPUB_WELCOME_MSG":
		return s.zmq.SetXpubWelcomeMsg(value)
	}
	return fmt.Errorf("there is no option %s with a string", name)
}

func (s *Socket) setInt(name string, value int) error {
	if name == "LINGER" {
		return s.setLinger(milliseconds(value))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.zmq == nil {
		return ErrClosed
	}
	if set, ok := map[string]func(int) error{
		"SNDHWM": s.zmq.SetSndhwm, "RCVHWM": s.zmq.SetRcvhwm, "SNDBUF": s.zmq.SetSndbuf, "RCVBUF": s.zmq.SetRcvbuf,
		"ROUTER_MANDATORY": s.zmq.SetRouterMandatory, "PROBE_ROUTER": s.zmq.SetProbeRouter,
		"REQ_CORRELATE": s.zmq.SetReqCorrelate, "REQ_RELAXED": s.zmq.SetReqRelaxed,
		"XPUB_VERBOSE": s.zmq.SetXpubVerbose, "XPUB_VERBOSER": s.zmq.SetXpubVerboser, "XPUB_MANUAL": s.zmq.SetXpubManual,
		"STREAM_NOTIFY": s.zmq.SetStreamNotify, "INVERT_MATCHING": s.zmq.SetInvertMatching, "BACKLOG": s.zmq.SetBacklog,
	}[name]; ok {
		return set(value)
	}
	if set, ok := map[string]func(bool) error{
		"IMMEDIATE": s.zmq.SetImmediate, "CONFLATE": s.zmq.SetConflate, "ROUTER_HANDOVER": s.zmq.SetRouterHandover,
		"XPUB_NODROP": s.zmq.SetXpubNodrop,
	}[name]; ok {
		return set(value != 0)
	}
	if set, ok := map[string]func(time.Duration) error{
		"RECONNECT_IVL": s.zmq.SetReconnectIvl, "RECONNECT_IVL_MAX": s.zmq.SetReconnectIvlMax,
		"HEARTBEAT_IVL": s.zmq.SetHeartbeatIvl, "HEARTBEAT_TIMEOUT": s.zmq.SetHeartbeatTimeout,
		"HEARTBEAT_TTL": s.zmq.SetHeartbeatTtl,
	}[name]; ok {
		return set(milliseconds(value))
	}
	return fmt.Errorf("there is no option %s with a number", name)
}

// setLinger sets how long libzmq, and then the links, try to deliver what was sent before Close; negative is unlimited.
func (s *Socket) setLinger(linger time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.zmq == nil {
		return ErrClosed
	}
	if linger < 0 {
		linger = -1
	}
	s.hop.SetLinger(linger)
	return s.zmq.SetLinger(linger)
}

func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }
