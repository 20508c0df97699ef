package pure_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"os"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"

	"qzmq.test/go/internal/local"
)

// What follows is about go-zeromq/zmq4 v0.17.0 alone, over plain ZMTP NULL: how it departs from ZeroMQ's patterns. QZMQ
// changes none of it, or makes up for it where a comment says so. A test that fails has found a defect mended.

var quiet = zmq4.WithLogger(log.New(io.Discard, "", 0))

func library(t *testing.T, make func(context.Context, ...zmq4.Option) zmq4.Socket, options ...zmq4.Option) zmq4.Socket {
	t.Helper()
	s := make(context.Background(), append(options, quiet)...)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func listen(t *testing.T, s zmq4.Socket) (endpoint, address string) {
	t.Helper()
	if err := s.Listen("tcp://127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	return "tcp://" + s.Addr().String(), s.Addr().String()
}

func dial(t *testing.T, s zmq4.Socket, endpoint string) {
	t.Helper()
	if err := s.Dial(endpoint); err != nil {
		t.Fatal(err)
	}
}

var errNothing = errors.New("nothing came")

// within receives what comes soon.
func within(s zmq4.Socket, limit time.Duration) (zmq4.Msg, error) {
	type result struct {
		message zmq4.Msg
		err     error
	}
	got := make(chan result, 1)
	go func() {
		message, err := s.Recv()
		got <- result{message, err}
	}()
	select {
	case r := <-got:
		return r.message, r.err
	case <-time.After(limit):
		return zmq4.Msg{}, errNothing
	}
}

// bare speaks ZMTP to the library by hand, up to READY.
func bare(t *testing.T, address, kind, identity string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := local.Begin(conn); err != nil {
		t.Fatal(err)
	}
	ready := local.Ready([]local.Property{{Name: "Socket-Type", Value: []byte(kind)}, {Name: "Identity", Value: []byte(identity)}})
	if _, err := conn.Write(ready); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	return conn
}

func TestDefectPushSendsEverythingToEveryone(t *testing.T) {
	push, one, two := library(t, zmq4.NewPush), library(t, zmq4.NewPull), library(t, zmq4.NewPull)
	endpoint, _ := listen(t, push)
	dial(t, one, endpoint)
	dial(t, two, endpoint)
	time.Sleep(50 * time.Millisecond)
	if err := push.Send(zmq4.NewMsgString("once")); err != nil {
		t.Fatal(err)
	}
	for _, pull := range []zmq4.Socket{one, two} {
		if _, err := within(pull, time.Second); err != nil {
			t.Error("one of them did not get it:", err)
		}
	}
}

func TestDefectSendingToNobodySucceeds(t *testing.T) {
	push, pull := library(t, zmq4.NewPush), library(t, zmq4.NewPull)
	endpoint, _ := listen(t, pull)
	dial(t, push, endpoint)
	_ = pull.Close()
	time.Sleep(50 * time.Millisecond)
	var err error
	for range 5 { // the first may find out that the connection is gone
		time.Sleep(20 * time.Millisecond)
		err = push.Send(zmq4.NewMsgString("lost"))
	}
	if err != nil {
		t.Error(err)
	}
}

// QZMQ answers pings itself.
func TestDefectPingReachesTheApplication(t *testing.T) {
	pull := library(t, zmq4.NewPull)
	_, address := listen(t, pull)
	peer := bare(t, address, "PUSH", "")
	if _, err := peer.Write(local.Command(nil, "PING", []byte{0, 100})); err != nil {
		t.Fatal(err)
	}
	message, err := within(pull, time.Second)
	if err != nil || !bytes.Contains(message.Bytes(), []byte("PING")) {
		t.Errorf("got %q, %v", message.Bytes(), err)
	}
}

// Socket.Receive goes on.
func TestDefectTheEndOfAConnectionFailsARecv(t *testing.T) {
	pull := library(t, zmq4.NewPull)
	_, address := listen(t, pull)
	_ = bare(t, address, "PUSH", "").Close()
	if _, err := within(pull, time.Second); err == nil || errors.Is(err, errNothing) {
		t.Error(err)
	}
}

// QZMQ shakes hands before the library knows of a connection.
func TestDefectASilentClientShutsOutTheOthers(t *testing.T) {
	pull := library(t, zmq4.NewPull)
	_, address := listen(t, pull)
	silent, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	time.Sleep(20 * time.Millisecond)
	other, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	_ = other.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	if n, err := other.Read(make([]byte, local.GreetingSize)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("it was greeted:", n, err)
	}
}

// Socket.Receive tells of them, with QZMQ and without.
func TestDefectXPubHidesSubscriptions(t *testing.T) {
	xpub, sub := library(t, zmq4.NewXPub), library(t, zmq4.NewSub)
	endpoint, _ := listen(t, xpub)
	dial(t, sub, endpoint)
	if err := sub.SetOption(zmq4.OptionSubscribe, "topic"); err != nil {
		t.Fatal(err)
	}
	if message, err := within(xpub, 300*time.Millisecond); !errors.Is(err, errNothing) {
		t.Errorf("got %q, %v", message.Bytes(), err)
	}
}

// QZMQ refuses the second, as libzmq does.
func TestDefectARouterSendsToEveryoneOfThatIdentity(t *testing.T) {
	router := library(t, zmq4.NewRouter)
	_, address := listen(t, router)
	one, two := bare(t, address, "DEALER", "same"), bare(t, address, "DEALER", "same")
	if err := router.SendMulti(zmq4.NewMsgFrom([]byte("same"), []byte("secret"))); err != nil {
		t.Fatal(err)
	}
	for _, peer := range []net.Conn{one, two} {
		_ = peer.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := io.ReadFull(peer, make([]byte, 2+len("secret"))); err != nil {
			t.Error("one of them did not get it:", err)
		}
	}
}

func TestDefectARepTakesTheLastEmptyPartForTheDelimiter(t *testing.T) {
	rep := library(t, zmq4.NewRep)
	_, address := listen(t, rep)
	peer := bare(t, address, "REQ", "")
	if _, err := peer.Write([]byte("\x01\x00\x01\x01a\x01\x00\x00\x01b")); err != nil { // delimiter, "a", "", "b"
		t.Fatal(err)
	}
	message, err := within(rep, time.Second)
	if err != nil || len(message.Frames) != 1 || string(message.Frames[0]) != "b" {
		t.Errorf("got %q, %v", message.Frames, err)
	}
}

// With the option QZMQ_PROPERTIES every connection puts that behind the message.
func TestDefectAMessageDoesNotTellItsSender(t *testing.T) {
	var public []string
	for _, field := range reflect.VisibleFields(reflect.TypeFor[zmq4.Msg]()) {
		if field.IsExported() {
			public = append(public, field.Name)
		}
	}
	if !slices.Equal(public, []string{"Frames", "Type"}) {
		t.Error(public)
	}
}

// So there is nobody to whom a server could pass CURVE clients (ZMTP-12).
func TestDefectNoCurve(t *testing.T) {
	_, address := listen(t, library(t, zmq4.NewPull))
	peer, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = peer.Close() }()
	greeting := local.Greeting()
	copy(greeting[12:], "CURVE")
	if _, err := peer.Write(greeting); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(peer, greeting); err != nil || !bytes.HasPrefix(greeting[12:], []byte("NULL\x00")) {
		t.Errorf("%q, %v", greeting[12:32], err)
	}
}

// One more cannot be shown under the race detector, which it fails: a second Listen takes the place of the first
// listener, of which nobody knows any more, while the library accepts from it. QZMQ listens once for all endpoints.
