package qzmq

import (
	"qzmq.test/go/internal/certificate"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/session"
)

// AdmitRequest is the question whether a client may come in (table zap-request). The client has proven that it holds
// its key.
type AdmitRequest struct {
	Address    string // the client's network address without a port
	RoutingID  []byte // what the client calls itself; may be empty
	PublicKey  string // the pin of its key, empty for an anonymous client
	Credential []byte // its SubjectPublicKeyInfo, DER; nil for an anonymous client
}

// AdmitAnswer is the answer (table zap-status): 200 admits, 300 is not now, 400 a refusal, 500 a failure.
type AdmitAnswer struct {
	Status   int
	UserID   string            // becomes the property User-Id
	Metadata map[string]string // becomes further properties (ZAP-6)
}

func (s *socket) admit(question session.Question) session.Verdict {
	request := AdmitRequest{Address: question.Address, RoutingID: question.Identity, Credential: question.Credentials}
	if question.Credentials != nil {
		request.PublicKey = certificate.FormatKey(primitive.Pin(question.Credentials))
	}
	answer := s.options.Admit(request)
	verdict := session.Verdict{Status: answer.Status, UserID: answer.UserID}
	for name, value := range answer.Metadata {
		verdict.Metadata = append(verdict.Metadata, session.Property{Name: []byte(name), Value: []byte(value)})
	}
	return verdict
}
