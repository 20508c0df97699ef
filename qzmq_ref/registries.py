"""Code points of QZMQ/1, bound to spec/registries.md: a difference between the two is an error at import."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from qzmq_ref.spec.schema import enumeration, structure

VERSION = 1


@enumeration("MessageType")
class MessageType(IntEnum):
    """First octet of every QZMQ message (REG-1)."""

    CLIENT_HELLO = 0x01
    SERVER_HELLO = 0x02
    CLIENT_KEY = 0x03
    FINISHED = 0x04
    HELLO_RETRY = 0x05
    NEW_TICKET = 0x06
    DATA = 0x10
    KEY_UPDATE = 0x20
    KEY_UPDATE_ACK = 0x21
    ALERT = 0x30
    SEALED_ALERT = 0x31


@enumeration("KemId")
class KemId(IntEnum):
    """Key encapsulation mechanism (table `kems`)."""

    X25519 = 0
    ML_KEM_768 = 1
    ML_KEM_1024 = 2
    X25519_ML_KEM_768 = 3
    X25519_ML_KEM_1024 = 4


@enumeration("SigId")
class SigId(IntEnum):
    """Signature algorithm (table `signatures`)."""

    ED25519 = 0
    ML_DSA_44 = 1
    ML_DSA_65 = 2
    ML_DSA_87 = 3


@enumeration("AeadId")
class AeadId(IntEnum):
    """Record protection (table `aeads`)."""

    AES_256_GCM = 0
    CHACHA20_POLY1305 = 1


@enumeration("HashId")
class HashId(IntEnum):
    """Transcript hash and hash of HKDF and HMAC (table `hashes`)."""

    SHA_256 = 0
    SHA_384 = 1
    SHA_512 = 2
    BLAKE3 = 3


@enumeration("ExtensionType")
class ExtensionType(IntEnum):
    """Extension code points; the table `extensions` says where each may stand."""

    PRE_SHARED_KEY = 0x0029
    EARLY_DATA = 0x002A
    COOKIE = 0x002C
    KEY_SHARE = 0x0033
    QUANTUM_PROOF = 0xFF01
    CLIENT_AUTH_REQUEST = 0xFF02


@enumeration("AlertDescription")
class AlertDescription(IntEnum):
    """Why a session ended (RFC 8446 section 6 numbers)."""

    CLOSE_NOTIFY = 0
    UNEXPECTED_MESSAGE = 10
    BAD_RECORD_MAC = 20
    RECORD_OVERFLOW = 22
    HANDSHAKE_FAILURE = 40
    BAD_CERTIFICATE = 42
    UNSUPPORTED_CERTIFICATE = 43
    CERTIFICATE_EXPIRED = 45
    CERTIFICATE_UNKNOWN = 46
    ILLEGAL_PARAMETER = 47
    UNKNOWN_CA = 48
    ACCESS_DENIED = 49
    DECODE_ERROR = 50
    DECRYPT_ERROR = 51
    PROTOCOL_VERSION = 70
    INSUFFICIENT_SECURITY = 71
    INTERNAL_ERROR = 80
    USER_CANCELED = 90
    MISSING_EXTENSION = 109
    UNSUPPORTED_EXTENSION = 110
    UNRECOGNIZED_NAME = 112
    CERTIFICATE_REQUIRED = 116


@structure("CipherSuite")
@dataclass(frozen=True)
class CipherSuite:
    """One algorithm of each kind, 4 octets. Unknown octets stay plain ints: they are legal in an offer (REG-11)."""

    kem: KemId | int
    sig: SigId | int
    aead: AeadId | int
    hash: HashId | int

    def __str__(self) -> str:
        return "/".join(getattr(part, "name", f"0x{part:02x}") for part in (self.kem, self.sig, self.aead, self.hash))


@structure("Extension")
@dataclass(frozen=True)
class Extension:
    """A typed, opaque extension of a hello."""

    extension_type: ExtensionType | int
    extension_data: bytes


@structure("ClientAuthRequest")
@dataclass(frozen=True)
class ClientAuthRequest:
    """Body of `client_auth_request`: signature algorithms a client may authenticate with."""

    algorithms: tuple[SigId | int, ...]
