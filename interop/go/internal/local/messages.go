package local

// Messages finds the ends of messages in a stream of ZMTP traffic. Its zero value is at the start of the traffic.
type Messages struct {
	left uint64 // octets of the current frame that are still to come
	more bool   // the message has a frame behind this one
	held []byte // the beginning of a frame header
}

// End takes the next octets, and says whether a message, or a command, ends with the last of them.
func (m *Messages) End(data []byte) bool {
	for len(data) > 0 {
		if m.left > 0 {
			n := min(m.left, uint64(len(data)))
			data, m.left = data[n:], m.left-n
			continue
		}
		m.held, data = append(m.held, data[0]), data[1:]
		if header, size := frameHeader(m.held); header > 0 {
			m.left, m.more = size, m.held[0]&flagMore != 0
			m.held = m.held[:0]
		}
	}
	return m.left == 0 && !m.more && len(m.held) == 0
}
