//go:build cgo

package libzmq

import (
	"strconv"
	"sync"

	zmq "github.com/pebbe/zmq4"

	"qzmq.test/go/internal/local"
)

// zapEndpoint is where libzmq asks about clients (RFC 27).
const zapEndpoint = "inproc://zeromq.zap.01"

// forced are the properties that a CURVE client's own metadata cannot have: libzmq lets those of ZAP win (ZMTP-16).
// User-Id is a field of its own.
var forced = local.Metadata([]local.Property{
	{Name: "X-QZMQ-Mechanism", Value: []byte("CURVE")},
	{Name: "X-QZMQ-Peer"}, {Name: "X-QZMQ-Peer-Address"}, {Name: "X-QZMQ-Suite"},
})

// zap answers what libzmq asks about CURVE clients. Once begun it goes on until the context ends: without a handler
// libzmq would admit everybody.
type zap struct {
	mu    sync.Mutex
	begun bool
	next  int
	admit map[string]func(publicKey string) (userID string, admitted bool) // by domain
}

// register returns a ZAP domain whose clients are judged by admit.
func (z *zap) register(context *zmq.Context, admit func(string) (string, bool)) (domain string, err error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if !z.begun {
		if err := z.begin(context); err != nil {
			return "", err
		}
		z.begun, z.admit = true, make(map[string]func(string) (string, bool))
	}
	z.next++
	domain = strconv.Itoa(z.next)
	z.admit[domain] = admit
	return domain, nil
}

// forget admits nobody to the domain any more.
func (z *zap) forget(domain string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	delete(z.admit, domain)
}

func (z *zap) begin(context *zmq.Context) error {
	handler, err := context.NewSocket(zmq.REP)
	if err != nil {
		return err
	}
	if err = handler.SetLinger(0); err == nil {
		err = handler.Bind(zapEndpoint)
	}
	if err != nil {
		_ = handler.Close()
		return err
	}
	go z.run(handler)
	return nil
}

func (z *zap) run(handler *zmq.Socket) {
	defer func() { _ = handler.Close() }()
	for {
		request, err := handler.RecvMessageBytes(0)
		if err == nil {
			_, err = handler.SendMessage(z.answer(request))
		}
		if zmq.AsErrno(err) == zmq.ETERM {
			return
		}
	}
}

// answer answers version, request id, domain, address, identity, mechanism and credentials.
func (z *zap) answer(request [][]byte) [][]byte {
	version, id := []byte("1.0"), []byte(nil)
	if len(request) > 1 {
		id = request[1]
	}
	if len(request) == 7 && string(request[5]) == "CURVE" {
		if userID, admitted := z.judge(string(request[2]), zmq.Z85encode(string(request[6]))); admitted {
			return [][]byte{version, id, []byte("200"), nil, []byte(userID), forced}
		}
	}
	return [][]byte{version, id, []byte("400"), nil, nil, nil}
}

func (z *zap) judge(domain, publicKey string) (userID string, admitted bool) {
	z.mu.Lock()
	admit := z.admit[domain]
	z.mu.Unlock()
	if admit == nil {
		return "", false
	}
	return admit(publicKey)
}
