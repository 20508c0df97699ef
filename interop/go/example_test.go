package qzmq_test

import (
	"fmt"
	"log"

	qzmq "qzmq.test/go"
)

// A server has a secret key, its client the pin of it. The client here is anonymous.
func Example() {
	public, secret, err := qzmq.Keypair("default")
	if err != nil {
		log.Fatal(err)
	}
	transport, err := qzmq.New(qzmq.DefaultOptions())
	if err != nil {
		log.Fatal(err)
	}
	server, err := transport.NewSocket(qzmq.REP)
	if err != nil {
		log.Fatal(err)
	}
	client, err := transport.NewSocket(qzmq.REQ)
	if err != nil {
		log.Fatal(err)
	}
	if err := server.SetOption("QZMQ_SECRETKEY", secret); err != nil {
		log.Fatal(err)
	}
	if err := client.SetOption("QZMQ_SERVERKEY", public); err != nil {
		log.Fatal(err)
	}
	if err := server.Bind("tcp://127.0.0.1:*"); err != nil {
		log.Fatal(err)
	}
	if err := client.Connect(server.LastEndpoint()); err != nil {
		log.Fatal(err)
	}
	if err := client.Send([]byte("hello")); err != nil {
		log.Fatal(err)
	}
	message, err := server.Recv()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", message)
	if err := transport.Close(); err != nil {
		log.Fatal(err)
	}
	// Output: hello
}
