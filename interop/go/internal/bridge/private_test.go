package bridge

import (
	"bytes"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"
)

// joined gives a private connection and what is to be its other end.
func joined(t *testing.T) (*private, net.Conn) {
	t.Helper()
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "hop"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	conn, err := net.Dial("unix", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	other, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	own, err := newPrivate(conn.(*net.UnixConn))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = own.Close(), other.Close() })
	return own, other
}

func TestPrivateCarriesAllBothWays(t *testing.T) {
	own, other := joined(t)
	octets := bytes.Repeat([]byte("more than a kernel buffer holds "), 100_000)
	go func() {
		_, _ = io.Copy(other, io.LimitReader(other, int64(len(octets)))) // comes back as it is read
		_ = other.(*net.UnixConn).CloseWrite()
	}()
	wrote := make(chan error, 1)
	go func() {
		_, err := own.Write(octets)
		wrote <- err
	}()
	time.Sleep(10 * time.Millisecond) // both directions fill up
	got, err := io.ReadAll(own)
	if err != nil || !bytes.Equal(got, octets) {
		t.Errorf("%d of %d octets came back: %v", len(got), len(octets), err)
	}
	if err := <-wrote; err != nil {
		t.Error(err)
	}
}

func TestPrivateWaitsForOctetsAndForRoom(t *testing.T) {
	own, other := joined(t)
	for _, text := range []string{"once", "again"} {
		time.AfterFunc(10*time.Millisecond, func() { _, _ = other.Write([]byte(text)) })
		into := make([]byte, 10)
		if n, err := own.Read(into); err != nil || string(into[:n]) != text {
			t.Errorf("read %q: %v", into[:n], err)
		}
	}
	for range 2 {
		size := 1 << 20
		time.AfterFunc(10*time.Millisecond, func() { _, _ = io.CopyN(io.Discard, other, int64(size)) })
		if n, err := own.Write(make([]byte, size)); err != nil || n != size {
			t.Errorf("wrote %d: %v", n, err)
		}
	}
}

func TestPrivateEnds(t *testing.T) {
	own, other := joined(t)
	if err := own.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if octets, err := io.ReadAll(other); err != nil || len(octets) > 0 {
		t.Errorf("%q, %v instead of the end", octets, err)
	}
	_ = other.Close()
	if n, err := own.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("%d, %v instead of the end", n, err)
	}
	if _, err := own.Write([]byte("x")); err == nil {
		t.Error("wrote to nobody")
	}
}
