//go:build cgo

package libzmq

import (
	"errors"
	"fmt"
	"time"

	"qzmq.test/go/internal/bridge"
)

// errKeeps is why a socket that serves CURVE clients takes no other endpoint: libzmq does not let go of a ZAP domain, and
// would ask about the private hop of a QZMQ client too, and overwrite its User-Id.
var errKeeps = errors.New("this socket serves CURVE clients, and libzmq keeps their settings for all later endpoints: " +
	"bind and connect the others before that one, or use another socket")

// acceptsNull says whether another endpoint may be bound or connected. The caller holds mu.
func (s *Socket) acceptsNull() error {
	if s.domain != "" {
		return errKeeps
	}
	return nil
}

// bindCurve binds the socket at path as CURVE server. libzmq copies the options when it binds, so they do not change the
// endpoints that are there. The caller holds mu.
func (s *Socket) bindCurve(path string, curve *bridge.Curve) (err error) {
	if err := s.zmq.SetCurveSecretkey(curve.SecretKey); err != nil {
		return fmt.Errorf("CURVE secret key: %w", err)
	}
	if err := s.zmq.SetCurveServer(1); err != nil {
		return fmt.Errorf("CURVE: %w", err)
	}
	if err := s.zmq.SetHandshakeIvl(max(curve.HandshakeTime, time.Millisecond)); err != nil {
		return err
	}
	if s.domain, err = s.context.zap.register(s.context.zmq, curve.Admit); err != nil {
		return fmt.Errorf("ZAP: %w", err)
	}
	if err := s.zmq.SetZapDomain(s.domain); err != nil {
		return err
	}
	return s.zmq.Bind(path)
}
