package network_test

import (
	"context"
	"net"
	"path/filepath"
	"regexp"
	"testing"

	"qzmq.test/go/internal/network"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"tcp://127.0.0.1:5555":         "tcp://127.0.0.1:5555",
		"tcp://*:*":                    "tcp://:0",
		"tcp://lo:7":                   "tcp://127.0.0.1:7",
		"tcp://10.0.0.1:0;127.0.0.1:7": "tcp://127.0.0.1:7",
		"ipc:///tmp/x":                 "ipc:///tmp/x",
		"udp://127.0.0.1:1":            "",
		"pgm://eth0;1.2.3.4:5":         "",
		"inproc://x":                   "",
		"tcp://localhost":              "",
		"nonsense":                     "",
	} {
		endpoint, err := network.Parse(text)
		if (err != nil) != (want == "") || err == nil && endpoint.String() != want {
			t.Errorf("%s: %v, %v", text, endpoint, err)
		}
	}
}

func TestListenAndDial(t *testing.T) {
	for text, peer := range map[string]string{
		"tcp://127.0.0.1:*":                        `^127\.0\.0\.1$`,
		"ipc://" + filepath.Join(t.TempDir(), "x"): `^localhost:\d+:\d+:\d+$`,
	} {
		for range 2 { // an ipc endpoint can be bound again
			endpoint, err := network.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			listener, bound, err := endpoint.Listen()
			if err != nil {
				t.Fatal(err)
			}
			again, err := network.Parse(bound.String())
			if err != nil || again != bound {
				t.Fatal(again, err)
			}
			if unix, ok := listener.(*net.UnixListener); ok {
				unix.SetUnlinkOnClose(false)
			}
			conn, err := again.Dial(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			accepted, err := listener.Accept()
			if err != nil {
				t.Fatal(err)
			}
			if address := network.PeerAddress(accepted); !regexp.MustCompile(peer).MatchString(address) {
				t.Error(address)
			}
			_, unix := conn.(*net.UnixConn)
			if network.IsOwnProcess(accepted) != unix {
				t.Error("own process:", !unix)
			}
			_, _, _ = conn.Close(), accepted.Close(), listener.Close()
		}
	}
}
