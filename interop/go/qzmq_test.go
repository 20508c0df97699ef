package qzmq_test

import (
	"testing"
	"time"

	qzmq "qzmq.test/go"
)

func TestFirstEcho(t *testing.T) {
	for _, preset := range []string{"default", "performance", "conservative"} {
		t.Run(preset, func(t *testing.T) {
			options := qzmq.DefaultOptions()
			options.Preset = preset
			transport, err := qzmq.New(options)
			if err != nil {
				t.Fatal(err)
			}
			defer transport.Close()
			public, secret, err := qzmq.Keypair(preset)
			if err != nil {
				t.Fatal(err)
			}
			server, _ := transport.NewSocket(qzmq.REP)
			client, _ := transport.NewSocket(qzmq.REQ)
			_ = server.SetOption("QZMQ_SECRETKEY", secret)
			_ = client.SetOption("QZMQ_SERVERKEY", public)
			if err := server.Bind("tcp://127.0.0.1:*"); err != nil {
				t.Fatal(err)
			}
			if err := client.Connect(server.LastEndpoint()); err != nil {
				t.Fatal(err)
			}
			for range 10 {
				if err := client.Send([]byte("hello")); err != nil {
					t.Fatal(err)
				}
				m, err := server.RecvMessage(5 * time.Second)
				if err != nil {
					t.Fatal(err)
				}
				if err := server.SendMultipart(m.Parts); err != nil {
					t.Fatal(err)
				}
				m, err = client.RecvMessage(5 * time.Second)
				if err != nil {
					t.Fatal(err)
				}
				t.Log(m)
			}
		})
	}
}
