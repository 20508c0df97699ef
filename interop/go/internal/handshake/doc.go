// Package handshake is the state machine of a session: every message of spec/handshake.md, from the first to the
// last, without the framing that a binding puts around it. Its table mirrors the table handshake of that page row by
// row.
package handshake
