package pure_test

import (
	"testing"
	"time"

	"qzmq.test/go/internal/pure"
)

// Without QZMQ there are no links to wait for: what is sent reaches the peer all the same.
func TestPlain(t *testing.T) {
	push, err := pure.NewSocket("PUSH")
	if err != nil {
		t.Fatal(err)
	}
	defer push.Close()
	pull, err := pure.NewSocket("PULL")
	if err != nil {
		t.Fatal(err)
	}
	defer pull.Close()
	endpoint, err := pull.Plain(true, "tcp://127.0.0.1:*")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := push.Plain(false, endpoint); err != nil {
		t.Fatal(err)
	}
	if err := push.Send([][]byte{[]byte("hello")}, time.Second); err != nil {
		t.Fatal(err)
	}
	parts, _, err := pull.Receive(5 * time.Second)
	if err != nil || len(parts) != 1 || string(parts[0]) != "hello" {
		t.Fatalf("%q, %v", parts, err)
	}
}
