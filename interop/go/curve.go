package qzmq

import (
	"errors"
	"fmt"
	"slices"

	"qzmq.test/go/internal/bridge"
	"qzmq.test/go/internal/session"
)

// errNoCurve is what a backend says that cannot serve CURVE clients.
var errNoCurve = fmt.Errorf("go-zeromq/zmq4 has no CURVE, so CURVE clients need the backend libzmq: %w", errors.ErrUnsupported)

// curve is how a port serves CURVE clients too (spec/bindings.md, "dual-stack port"); nil if it does not.
func (s *socket) curve(config *session.Config) (*bridge.Curve, error) {
	secret := s.currentSecurity().CurveSecretKey
	switch {
	case secret == "":
		return nil, nil
	case s.transport.Backend() != BackendLibzmq:
		return nil, errNoCurve
	case s.kind == STREAM:
		return nil, errors.New("a STREAM socket does not speak ZMTP, so it cannot serve CURVE clients: unset Security.CurveSecretKey")
	case config.Role != session.Server:
		return nil, errors.New("a QZMQ client that binds cannot serve CURVE clients: unset Security.CurveSecretKey, or Security.Role")
	}
	return &bridge.Curve{
		SecretKey: secret, HandshakeTime: config.Policy.Limits.Effective().HandshakeTime, Admit: s.admitCurve,
	}, nil
}

// admitCurve judges a CURVE client by the list as it is now (ZMTP-15).
func (s *socket) admitCurve(publicKey string) (userID string, admitted bool) {
	s.mu.Lock()
	admitted = slices.Contains(s.security.CurveClients, publicKey)
	if admitted {
		s.counted.CurveAdmitted++
	} else {
		s.counted.CurveRefused++
	}
	s.mu.Unlock()
	if !admitted {
		s.options.log().Warn("a CURVE client was refused",
			"socket", s.kind.String(), "requirement", "ZMTP-15", "key", publicKey)
	}
	return publicKey, admitted
}
