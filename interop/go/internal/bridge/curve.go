package bridge

import (
	"io"
	"net"
	"time"

	"qzmq.test/go/internal/binding"
)

// tail is how long a CURVE client whose connection is over may take to close it, while the socket is open.
const tail = time.Second

// Curve is how a port serves CURVE clients beside those of QZMQ: by the library's own CURVE, which the socket speaks at
// another private path.
type Curve struct {
	SecretKey     string // of the server, 40 Z85 characters
	HandshakeTime time.Duration

	// Admit says who may come in, by its public key of 40 Z85 characters (ZMTP-15), and what User-Id it has (ZMTP-16).
	Admit func(publicKey string) (userID string, admitted bool)
}

// CurvePath is where the application's socket binds by CURVE, as ipc:// endpoint, before Run.
func (b *Bound) CurvePath() string { return "ipc://" + b.curvePath() }

func (b *Bound) curvePath() string { return b.path + ".curve" }

// serveCurve carries the connection of a CURVE client to the socket, unchanged (ZMTP-14).
func (b *Bound) serveCurve(client net.Conn, said []byte) {
	b.hop.enter()
	defer b.hop.leave()
	defer func() { _ = client.Close() }()
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: b.curvePath(), Net: "unix"})
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	if _, err = conn.Write(said); err != nil {
		return
	}
	if _, err = io.CopyN(io.Discard, conn, binding.SharedGreeting); err != nil { // the client has had them
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		carry(conn, client)
	}()
	carry(client, conn)
	_ = client.SetDeadline(time.Now().Add(b.patience()))
	<-done
}

// patience is how long a client may take to read what the socket said last. While the socket is open the library ended
// the connection, which a stranger must not keep.
func (b *Bound) patience() time.Duration {
	if b.closing.Load() {
		return max(b.hop.lingerTime(), tail)
	}
	return tail
}

// carry carries octets until from has ended, and tells to. What to does not take any more is read nevertheless, so that
// from ends in order.
func carry(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_, _ = io.Copy(io.Discard, from)
}
