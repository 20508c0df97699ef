package local

import "encoding/binary"

// maxSubscription bounds a command of the peer in octets; SUBSCRIBE with its topic is the longest.
const maxSubscription = 1 << 20

// Inbound turns ZMTP 3.1 traffic from a peer into what a ZMTP 3.0 socket understands: SUBSCRIBE and CANCEL become
// messages, PING is answered, and no command reaches the socket. Its zero value is at the start of the traffic.
type Inbound struct {
	// Heard hears of SUBSCRIBE and CANCEL, and of messages that say the same as before ZMTP 3.1; nil is not told.
	Heard func(subscribe bool, topic []byte)

	left uint64 // octets of the current message frame that are still to pass
	held []byte // the beginning of a frame header or of a command
	more bool   // with Heard: the next frame is not the first of its message
}

// Step takes octets from the front of data. What the socket is to read is traffic, a part of data or valid until the
// next call; what the peer is to be sent is reply; rest goes into the next call. A malformed command is an error.
func (f *Inbound) Step(data []byte) (traffic, reply, rest []byte, err error) {
	if len(f.held) == 0 {
		if n := f.pass(data); n > 0 {
			return data[:n], nil, data[n:], nil
		}
	}
	return f.command(data)
}

// Body is how many octets of a message frame come next: Step would pass them on as they are.
func (f *Inbound) Body() uint64 { return f.left }

// Skip is Step for octets of a message frame, at most Body, that the socket has been given already.
func (f *Inbound) Skip(n int) { f.left -= uint64(n) }

// pass counts the leading octets of data that are whole headers of message frames, and bodies.
func (f *Inbound) pass(data []byte) int {
	at := 0
	for at < len(data) {
		if f.left > 0 {
			n := min(f.left, uint64(len(data)-at))
			at, f.left = at+int(n), f.left-n
			continue
		}
		header, size := frameHeader(data[at:])
		if header == 0 || data[at]&flagCommand != 0 || f.Heard != nil {
			break
		}
		at, f.left = at+header, size
	}
	return at
}

// command collects a frame header that came in pieces, or a command with its body.
func (f *Inbound) command(data []byte) (traffic, reply, rest []byte, err error) {
	for {
		header, size := frameHeader(f.held)
		switch {
		case header > 0 && f.held[0]&flagCommand == 0 && (f.Heard == nil || size > maxSubscription):
			traffic, f.held, f.left = f.held, nil, size
			f.more = traffic[0]&flagMore != 0
			return traffic, nil, data, nil
		case header > 0 && size > maxSubscription:
			return nil, nil, nil, errFrame
		case header > 0 && len(f.held) == header+int(size):
			frame := f.held
			f.held = nil
			if frame[0]&flagCommand == 0 {
				f.listen(frame[0], frame[header:])
				return frame, nil, data, nil
			}
			traffic, reply, err = f.translate(frame[header:])
			return traffic, reply, data, err
		case len(data) == 0:
			return nil, nil, nil, nil
		}
		n := 1
		if header > 0 {
			n = min(header+int(size)-len(f.held), len(data))
		}
		f.held, data = append(f.held, data[:n]...), data[n:]
	}
}

// translate gives the message that a command becomes, or the command that answers it.
func (f *Inbound) translate(body []byte) (traffic, reply []byte, err error) {
	if len(body) == 0 || int(body[0]) > len(body)-1 {
		return nil, nil, errFrame
	}
	name, value := string(body[1:1+body[0]]), body[1+body[0]:]
	switch name {
	case "SUBSCRIBE":
		f.hear(true, value)
		return subscription(1, value), nil, nil
	case "CANCEL":
		f.hear(false, value)
		return subscription(0, value), nil, nil
	case "PING":
		if len(value) < 2 {
			return nil, nil, errFrame
		}
		return nil, Command(nil, "PONG", value[2:]), nil
	}
	return nil, nil, nil
}

// listen looks for subscriptions among messages.
func (f *Inbound) listen(flags byte, body []byte) {
	alone := !f.more && flags&flagMore == 0
	f.more = flags&flagMore != 0
	if alone && len(body) > 0 && body[0] <= 1 {
		f.hear(body[0] == 1, body[1:])
	}
}

func (f *Inbound) hear(subscribe bool, topic []byte) {
	if f.Heard != nil {
		f.Heard(subscribe, topic)
	}
}

func subscription(first byte, topic []byte) []byte {
	return append(append(appendHeader(nil, 0, 1+len(topic)), first), topic...)
}

// frameHeader gives the length of the frame header at the front of data, 0 if it is not whole, and the body's size.
func frameHeader(data []byte) (header int, size uint64) {
	switch {
	case len(data) < 2:
		return 0, 0
	case data[0]&flagLong == 0:
		return 2, uint64(data[1])
	case len(data) < 9:
		return 0, 0
	}
	return 9, binary.BigEndian.Uint64(data[1:])
}

// Outbound turns the subscriptions of a ZMTP 3.0 SUB or XSUB socket, messages that begin with 1 or 0, into SUBSCRIBE
// and CANCEL commands. Its zero value is at the start of the traffic.
type Outbound struct {
	left uint64 // octets of the current frame that are still to pass
	more bool   // the current frame is not the first of its message
	held []byte // the beginning of a frame
}

// Append translates data and appends the result to dst.
func (f *Outbound) Append(dst, data []byte) []byte {
	for len(data) > 0 {
		if f.left > 0 {
			n := min(f.left, uint64(len(data)))
			dst, data, f.left = append(dst, data[:n]...), data[n:], f.left-n
			continue
		}
		f.held, data = append(f.held, data[0]), data[1:]
		header, size := frameHeader(f.held)
		if header == 0 || size > 0 && len(f.held) == header {
			continue
		}
		dst = f.begin(dst, header, size)
		f.held = f.held[:0]
	}
	return dst
}

// begin appends the front of a frame: its header and, if it has a body, the body's first octet.
func (f *Outbound) begin(dst []byte, header int, size uint64) []byte {
	flags, body := f.held[0], f.held[header:]
	f.left = size - uint64(len(body))
	first := !f.more
	f.more = flags&flagMore != 0
	if flags&(flagMore|flagCommand) != 0 || !first || len(body) == 0 || body[0] > 1 {
		return append(dst, f.held...)
	}
	name := [...]string{"CANCEL", "SUBSCRIBE"}[body[0]]
	dst = appendHeader(dst, flagCommand, 1+len(name)+int(f.left))
	dst = append(dst, byte(len(name)))
	return append(dst, name...)
}
