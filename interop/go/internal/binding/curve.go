package binding

// SharedGreeting is how many octets of its greeting a server of both mechanisms sends at once: they are the same for
// QZMQ and CURVE (ZMTP-11).
const SharedGreeting = versionMajor + 1

var curveMechanism = [20]byte{'C', 'U', 'R', 'V', 'E'}

// NamesCurve judges those octets of a client's greeting that are there: whether they settle which mechanism serves it,
// and whether that is CURVE (ZMTP-11, ZMTP-12). Nothing but a greeting of ZMTP 3 is CURVE's, since an older one would
// reach the application without any security.
func NamesCurve(octets []byte) (curve, settled bool) {
	for at, octet := range octets[:min(len(octets), asServerAt)] {
		if at == 0 && octet != 0xFF || at == signatureEnd && octet != 0x7F || at == versionMajor && octet < 3 ||
			at >= mechanismAt && octet != curveMechanism[at-mechanismAt] {
			return false, true
		}
	}
	whole := len(octets) >= asServerAt
	return whole, whole
}
