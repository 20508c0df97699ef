package session_test

import (
	"bufio"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"qzmq.test/go/internal/certificate"
	"qzmq.test/go/internal/primitive"
	"qzmq.test/go/internal/registry"
	"qzmq.test/go/internal/session"
	"qzmq.test/go/internal/tickets"
)

func TestLive(t *testing.T) {
	for _, retry := range []string{"never", "always"} {
		t.Run("client"+retry, func(t *testing.T) { liveClient(t, retry) })
		t.Run("server"+retry, func(t *testing.T) { liveServer(t, retry) })
	}
}
func liveConfig(t *testing.T, role session.Role) *session.Config {
	p, _ := registry.Preset("performance")
	c := &session.Config{Role: role, Policy: p, Key: key(t, registry.Ed25519, 9), Rand: rand.Reader, Now: time.Now, EarlyData: true}
	c.Held, c.Issued, c.Tickets = tickets.NewCache(time.Now), tickets.NewStore(time.Now), 2
	if role == session.Client { c.SocketType = "PUSH" } else { c.SocketType = "PULL" }
	return c
}
func python(t *testing.T, args ...string) (*exec.Cmd, session.Pin) {
	cmd := exec.Command("/work/main/.venv/bin/python", append([]string{"/tmp/live1a/early.py"}, args...)...)
	cmd.Stderr = os.Stderr
	out, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil { t.Fatal(err) }
	br := bufio.NewReader(out)
	line, err := br.ReadString('\n'); if err != nil { t.Fatal(err) }
	go io.Copy(os.Stdout, br)
	pin, _ := certificate.ParseKey(line[:40])
	return cmd, pin
}
func liveClient(t *testing.T, retry string) {
	config := liveConfig(t, session.Client)
	cmd, pin := python(t, "server", "5601", certificate.FormatKey(primitive.Pin(config.Key.SPKI())), retry)
	defer cmd.Wait()
	config.ServerPins = []session.Pin{pin}
	for i := range 3 {
		c, err := net.Dial("tcp", "127.0.0.1:5601"); if err != nil { t.Fatal(err) }
		conn, _ := session.New(config, fresh(false), "x")
		run(conn, c, func(greeted bool) []byte {
			b, n := conn.SealEarly(nil, []byte("\x00\x05early"))
			if n > 0 { fmt.Println("early sent", n) }
			return b
		}, func() []byte { b, _ := conn.Seal(nil, fmt.Appendf(nil, "\x00\x05data%d", i)); return b })
	}
}
func liveServer(t *testing.T, retry string) {
	config := liveConfig(t, session.Server)
	if retry == "always" { config.Retry = 2; config.Difficulty = 4 }
	ln, err := net.Listen("tcp", "127.0.0.1:5602"); if err != nil { t.Fatal(err) }
	defer ln.Close()
	cmd, pin := python(t, "client", "5602", certificate.FormatKey(primitive.Pin(config.Key.SPKI())), retry)
	defer cmd.Wait()
	config.ClientPins = map[session.Pin]struct{}{pin: {}}
	for range 3 {
		c, err := ln.Accept(); if err != nil { t.Fatal(err) }
		conn, _ := session.New(config, fresh(true), "x")
		run(conn, c, nil, func() []byte { return nil })
	}
}
func run(conn *session.Conn, c net.Conn, early func(bool) []byte, up func() []byte) {
	buf := make([]byte, 65536)
	deadline := time.Now().Add(900 * time.Millisecond)
	sent := false
	for {
		c.Write(conn.Output())
		if early != nil && !sent && conn.State() == "wait_server_hello" { sent = true; c.Write(early(true)) }
		c.SetReadDeadline(deadline)
		n, err := c.Read(buf)
		if err != nil { fmt.Println("conn over", conn.State(), err); c.Close(); return }
		for _, e := range conn.Receive(buf[:n]) {
			switch e := e.(type) {
			case session.Established:
				fmt.Println("established resumed", e.Peer.Resumed)
				c.Write(up())
			case session.Received: fmt.Printf("go got %q\n", e.Octets)
			case session.EarlyReceived: fmt.Printf("go early %q\n", e.Octets)
			case session.Ended: fmt.Println("ended", e.Reason, e.Alert)
			default: fmt.Printf("%T %v\n", e, e)
			}
		}
	}
}
