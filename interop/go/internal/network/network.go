// Package network opens the connections that QZMQ secures, by ZeroMQ's endpoint names: tcp and ipc (PAT-11).
package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
)

// Endpoint is where a socket binds or connects.
type Endpoint struct {
	scheme  string // tcp or ipc
	address string // as package net wants it
}

// Parse reads tcp://HOST:PORT, where HOST may be * or an interface's name and PORT * to bind, or ipc://PATH. Any other
// transport is refused: nothing passes in the clear because it cannot be secured (PAT-11).
func Parse(text string) (Endpoint, error) {
	scheme, address, found := strings.Cut(text, "://")
	if !found || address == "" {
		return Endpoint{}, fmt.Errorf("endpoint %q is not of the form tcp://HOST:PORT or ipc://PATH", text)
	}
	switch scheme {
	case "ipc":
		return Endpoint{scheme, address}, nil
	case "tcp":
		address, err := hostAndPort(address)
		if err != nil {
			return Endpoint{}, fmt.Errorf("endpoint %q: %w", text, err)
		}
		return Endpoint{scheme, address}, nil
	}
	return Endpoint{}, fmt.Errorf("QZMQ cannot secure transport %q; use tcp or ipc (PAT-11)", scheme)
}

func hostAndPort(address string) (string, error) {
	if _, after, found := strings.Cut(address, ";"); found {
		address = after // a source address, which the system chooses as well
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	if host == "*" {
		host = ""
	}
	if port == "*" {
		port = "0"
	}
	if device, err := net.InterfaceByName(host); err == nil {
		addresses, err := device.Addrs()
		if err != nil || len(addresses) == 0 {
			return "", fmt.Errorf("interface %s has no address", host)
		}
		first, _, err := net.ParseCIDR(addresses[0].String())
		if err != nil {
			return "", err
		}
		host = first.String()
	}
	return net.JoinHostPort(host, port), nil
}

// String is the endpoint as ZeroMQ writes it.
func (e Endpoint) String() string { return e.scheme + "://" + e.address }

func (e Endpoint) network() string {
	if e.scheme == "ipc" {
		return "unix"
	}
	return "tcp"
}

// Listen binds the endpoint, and returns it with the port that was chosen. The file of an ipc endpoint whose owner is
// gone is replaced, as libzmq does.
func (e Endpoint) Listen() (net.Listener, Endpoint, error) {
	listener, err := net.Listen(e.network(), e.listenAddress())
	if errors.Is(err, syscall.EADDRINUSE) && e.scheme == "ipc" && !alive(e.address) {
		_ = os.Remove(e.address)
		listener, err = net.Listen(e.network(), e.address)
	}
	if err != nil {
		return nil, Endpoint{}, fmt.Errorf("bind %v: %w", e, err)
	}
	return listener, Endpoint{e.scheme, listener.Addr().String()}, nil
}

// listenAddress keeps a wildcard to IPv4, as a ZeroMQ socket without the option IPV6 does.
func (e Endpoint) listenAddress() string {
	if strings.HasPrefix(e.address, ":") {
		return "0.0.0.0" + e.address
	}
	return e.address
}

func alive(path string) bool {
	conn, err := net.Dial("unix", path)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// Dial connects to the endpoint.
func (e Endpoint) Dial(ctx context.Context) (net.Conn, error) {
	var dialer net.Dialer
	return dialer.DialContext(ctx, e.network(), e.address)
}

// PeerAddress is the address of a connection's peer without its port; over ipc localhost:uid:gid:pid (table
// zap-request).
func PeerAddress(conn net.Conn) string {
	if tcp, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return tcp.IP.String()
	}
	if peer, err := credentials(conn); err == nil {
		return fmt.Sprintf("localhost:%d:%d:%d", peer.Uid, peer.Gid, peer.Pid)
	}
	return "localhost"
}

// IsOwnProcess says whether the peer of a unix-domain connection is this very process.
func IsOwnProcess(conn net.Conn) bool {
	peer, err := credentials(conn)
	return err == nil && int(peer.Pid) == os.Getpid()
}

func credentials(conn net.Conn) (*syscall.Ucred, error) {
	unix, ok := conn.(*net.UnixConn)
	if !ok {
		return nil, errors.New("not a unix-domain connection")
	}
	raw, err := unix.SyscallConn()
	if err != nil {
		return nil, err
	}
	var peer *syscall.Ucred
	var failure error
	err = raw.Control(func(fd uintptr) {
		peer, failure = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	return peer, errors.Join(err, failure)
}
