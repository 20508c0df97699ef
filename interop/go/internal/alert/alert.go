// Package alert names every way a peer can end a QZMQ session: the AlertDescription of spec/registries.md, and the
// error that carries one together with the requirement that was broken.
package alert

import (
	"errors"
	"fmt"
)

// Description is an AlertDescription, one octet on the wire. It is an open enum: an unlisted value ends the session
// like a listed one (spec/alerts.md).
type Description uint8

// The descriptions of QZMQ/1. Their numbers are RFC 8446's where the meaning is the same.
const (
	CloseNotify            Description = 0
	UnexpectedMessage      Description = 10
	BadRecordMAC           Description = 20
	RecordOverflow         Description = 22
	HandshakeFailure       Description = 40
	BadCertificate         Description = 42
	UnsupportedCertificate Description = 43
	CertificateExpired     Description = 45
	CertificateUnknown     Description = 46
	IllegalParameter       Description = 47
	UnknownCA              Description = 48
	AccessDenied           Description = 49
	DecodeError            Description = 50
	DecryptError           Description = 51
	ProtocolVersion        Description = 70
	InsufficientSecurity   Description = 71
	InternalError          Description = 80
	UserCanceled           Description = 90
	MissingExtension       Description = 109
	UnsupportedExtension   Description = 110
	UnrecognizedName       Description = 112
	CertificateRequired    Description = 116
)

var names = map[Description]string{
	CloseNotify:            "close_notify",
	UnexpectedMessage:      "unexpected_message",
	BadRecordMAC:           "bad_record_mac",
	RecordOverflow:         "record_overflow",
	HandshakeFailure:       "handshake_failure",
	BadCertificate:         "bad_certificate",
	UnsupportedCertificate: "unsupported_certificate",
	CertificateExpired:     "certificate_expired",
	CertificateUnknown:     "certificate_unknown",
	IllegalParameter:       "illegal_parameter",
	UnknownCA:              "unknown_ca",
	AccessDenied:           "access_denied",
	DecodeError:            "decode_error",
	DecryptError:           "decrypt_error",
	ProtocolVersion:        "protocol_version",
	InsufficientSecurity:   "insufficient_security",
	InternalError:          "internal_error",
	UserCanceled:           "user_canceled",
	MissingExtension:       "missing_extension",
	UnsupportedExtension:   "unsupported_extension",
	UnrecognizedName:       "unrecognized_name",
	CertificateRequired:    "certificate_required",
}

// String gives the description's name in spec/registries.md, or its number if it has none.
func (d Description) String() string {
	if name, listed := names[d]; listed {
		return name
	}
	return fmt.Sprintf("alert %d", uint8(d))
}

// Alert is the end of a session: what the peer did wrong, or said. It is the only error that a peer's octets cause.
type Alert struct {
	Description Description
	Requirement string // the requirement that was broken, such as "HS-12"; empty if the peer sent the alert
	Detail      string // for a log; never holds a secret or application octets (SEC-7, SEC-9)
}

// New makes an Alert; format and arguments are its detail.
func New(description Description, requirement, format string, arguments ...any) *Alert {
	return &Alert{Description: description, Requirement: requirement, Detail: fmt.Sprintf(format, arguments...)}
}

// Error tells description, requirement and detail in one line.
func (a *Alert) Error() string {
	if a.Requirement == "" {
		return fmt.Sprintf("%s: %s", a.Description, a.Detail)
	}
	return fmt.Sprintf("%s (%s): %s", a.Description, a.Requirement, a.Detail)
}

// From gives the Alert that err is or wraps. Any other error is a fault of this side: internal_error.
func From(err error) *Alert {
	if ended, ok := errors.AsType[*Alert](err); ok {
		return ended
	}
	return New(InternalError, "", "%v", err)
}
