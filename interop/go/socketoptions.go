package qzmq

import "fmt"

func (s *socket) SetOption(name string, value any) error {
	known, err := s.setSecurity(name, value)
	switch {
	case err != nil:
		return err
	case known:
		return nil
	case name == "QZMQ_RESUME":
		if _, ok := value.(bool); !ok {
			err = fmt.Errorf("option %s does not take a %T", name, value)
		}
	case name != "SNDTIMEO" && name != "RCVTIMEO":
		err = s.engine.SetOption(name, value)
	}
	if err != nil {
		return fmt.Errorf("%v socket: %w", s.kind, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set[name] = value
	return nil
}

// setSecurity sets an option whose name begins with QZMQ_; known says whether it is one.
func (s *socket) setSecurity(name string, value any) (known bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ok := true
	switch name {
	case "QZMQ_SECURITY":
		s.security, ok = value.(Security)
	case "QZMQ_SERVER":
		var server bool
		if server, ok = value.(bool); server {
			s.security.Role = RoleServer
		} else {
			s.security.Role = RoleClient
		}
	case "QZMQ_SECRETKEY":
		s.security.SecretKey, ok = value.(string)
	case "QZMQ_SERVERKEY":
		var key string
		key, ok = value.(string)
		s.security.ServerKeys = []string{key}
	case "QZMQ_CLIENTKEYS":
		s.security.ClientKeys, ok = value.([]string)
	case "QZMQ_CURVE_SECRETKEY":
		s.security.CurveSecretKey, ok = value.(string)
	case "QZMQ_CURVE_CLIENTS":
		s.security.CurveClients, ok = value.([]string)
	case "QZMQ_CERTIFICATE":
		s.security.Certificate, ok = value.([]byte)
	case "QZMQ_CA":
		s.security.CA, ok = value.([]byte)
	case "QZMQ_SERVERNAME":
		s.security.ServerName, ok = value.(string)
	default:
		return false, nil
	}
	if !ok {
		return true, fmt.Errorf("option %s does not take a %T", name, value)
	}
	return true, nil
}

func (s *socket) GetOption(name string) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch name {
	case "LAST_ENDPOINT":
		return s.last, nil
	case "TYPE":
		return s.kind.String(), nil
	case "QZMQ_SERVERKEY":
		return s.security.ServerKeys, nil
	case "QZMQ_CLIENTKEYS":
		return s.security.ClientKeys, nil
	case "QZMQ_CURVE_CLIENTS":
		return s.security.CurveClients, nil
	case "QZMQ_SERVERNAME":
		return s.security.ServerName, nil
	}
	if value, ok := s.set[name]; ok {
		return value, nil
	}
	return nil, fmt.Errorf("option %s was not set", name)
}
