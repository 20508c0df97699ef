package local

// Tagger puts one more part behind every message of a stream of ZMTP traffic without commands, so that who reads the
// message learns whose it is. Its zero value is at the start of the traffic.
type Tagger struct {
	left uint64 // octets of the current frame that are still to pass
	last bool   // it is the last of its message
	held []byte // the beginning of a frame header
}

// Tag is the part, as a frame, that holds these properties.
func Tag(properties []Property) []byte {
	frame := Ready(properties)
	frame[0] &^= flagCommand
	return frame
}

// ParseTag gives the properties that a part holds.
func ParseTag(part []byte) ([]Property, error) { return ParseReady(part) }

// Append appends data to dst, with the tag behind each message.
func (t *Tagger) Append(dst, data, tag []byte) []byte {
	for len(data) > 0 {
		if t.left > 0 {
			n := min(t.left, uint64(len(data)))
			dst, data, t.left = append(dst, data[:n]...), data[n:], t.left-n
		} else {
			t.held, data = append(t.held, data[0]), data[1:]
			header, size := frameHeader(t.held)
			if header == 0 {
				continue
			}
			t.last = t.held[0]&flagMore == 0
			t.held[0] |= flagMore
			dst = append(dst, t.held...)
			t.held, t.left = t.held[:0], size
		}
		if t.left == 0 && t.last {
			dst, t.last = append(dst, tag...), false
		}
	}
	return dst
}
