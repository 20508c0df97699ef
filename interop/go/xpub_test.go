package qzmq_test

import (
	"testing"
	"time"

	qzmq "qzmq.test/go"
)

// TestXPub: the application hears of the first subscription to a topic and of the end of the last, and what it then sends
// arrives.
func TestXPub(t *testing.T) {
	everyBackend(t, func(t *testing.T, backend qzmq.Backend) {
		w := begin(t, backend)
		publisher := w.bound(qzmq.XPUB)
		one, two := w.connected(qzmq.SUB, publisher), w.connected(qzmq.SUB, publisher)
		for i, subscriber := range []qzmq.Socket{one, two} {
			if err := subscriber.Subscribe("topic"); err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				w.receive(publisher, "\x01topic")
			}
		}
		w.send(publisher, "topic and more")
		w.receive(one, "topic and more")
		if message, err := publisher.RecvMessage(100 * time.Millisecond); err == nil {
			t.Errorf("the second subscriber is no news: %q", message.Parts)
		}
		if err := one.Unsubscribe("topic"); err != nil {
			t.Fatal(err)
		}
		if message, err := publisher.RecvMessage(50 * time.Millisecond); err == nil {
			t.Errorf("there is another subscriber: %q", message.Parts)
		}
		if err := two.Close(); err != nil {
			t.Fatal(err)
		}
		w.receive(publisher, "\x00topic")
	})
}
