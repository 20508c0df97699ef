package pure

import (
	"context"
	"sync"
)

// topics are what the peers of an XPUB socket want. The library knows it too and tells nobody, so what the application
// is told comes from here: the first subscription to a topic and the end of the last, as libzmq tells it.
type topics struct {
	socket  context.Context
	notices chan [][]byte // messages of one part: 1 or 0, and the topic

	mu      sync.Mutex
	wanting map[string]map[*inner]struct{}
}

// wish is a subscription, or its end, of which the application is to hear.
type wish struct {
	wants bool
	topic string
}

func newTopics(socket context.Context) *topics {
	return &topics{socket: socket, notices: make(chan [][]byte, 1000), wanting: make(map[string]map[*inner]struct{})}
}

// change notes what a peer wants or does not want any more. It waits until there is room for the application's message.
func (t *topics) change(peer *inner, w wish) {
	t.mu.Lock()
	before := len(t.wanting[w.topic])
	if w.wants && before == 0 {
		t.wanting[w.topic] = make(map[*inner]struct{})
	}
	if w.wants {
		t.wanting[w.topic][peer] = struct{}{}
	} else {
		delete(t.wanting[w.topic], peer)
	}
	after := len(t.wanting[w.topic])
	if after == 0 {
		delete(t.wanting, w.topic)
	}
	t.mu.Unlock()
	if (before == 0) != (after == 0) {
		t.tell(w)
	}
}

func (t *topics) tell(w wish) {
	notice := []byte{0}
	if w.wants {
		notice[0] = 1
	}
	select {
	case t.notices <- [][]byte{append(notice, w.topic...)}:
	case <-t.socket.Done():
	}
}

// forget ends all that a peer wanted.
func (t *topics) forget(peer *inner) {
	t.mu.Lock()
	var wanted []string
	for topic, peers := range t.wanting {
		if _, found := peers[peer]; found {
			wanted = append(wanted, topic)
		}
	}
	t.mu.Unlock()
	for _, topic := range wanted {
		t.change(peer, wish{topic: topic})
	}
}
