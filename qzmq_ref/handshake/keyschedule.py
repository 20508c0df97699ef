"""The key schedule (spec/keyschedule.md): RFC 8446 section 7.1's shape, labels from tables `secrets` and `keys`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from qzmq_ref.alerts import LocalError
from qzmq_ref.crypto.hash import HashFunction
from qzmq_ref.handshake.messages import vector
from qzmq_ref.spec.schema import structure
from qzmq_ref.spec.tables import tables

PREFIX = b"qzmq1 "

MAX_LABEL = 255 - len(PREFIX)
"""Octets of a label of the exporter."""

_ROWS = {
    row[kind]: (row["Label"].encode(), None if row["Length"] == "Hash.length" else int(row["Length"]))
    for table, kind in (("secrets", "Secret"), ("keys", "Key"))
    for row in tables()[table]
}
"""Label and length of each secret and key; None is Hash.length."""


@structure("HkdfLabel")
@dataclass(frozen=True)
class HkdfLabel:
    """The `info` of HKDF-Expand (RFC 8446 section 7.1)."""

    length: int
    label: bytes
    context: bytes


@dataclass(frozen=True)
class HandshakeSecrets:
    """Hash.length octets each, over H1 (KS-3). `master` lives on only until generation 1 is derived (KS-5)."""

    c_hs: bytes = field(repr=False)
    s_hs: bytes = field(repr=False)
    master: bytes = field(repr=False)


@dataclass(frozen=True)
class GenerationSecrets:
    """Children of root_g over TH_g, and TH_g itself (KS-4, KS-8), Hash.length octets each; `exp` is of root_1 only."""

    c_ap: bytes = field(repr=False)
    s_ap: bytes = field(repr=False)
    rekey: bytes = field(repr=False)
    res: bytes = field(repr=False)
    th: bytes = field(repr=False)
    exp: bytes = field(repr=False, default=b"")


def expand_label(hash_function: HashFunction, secret: bytes, label: bytes, context: bytes, length: int) -> bytes:
    """Expand-Label of spec/keyschedule.md (KS-1); `length` in octets."""
    return hash_function.expand(secret, hkdf_label(length, label, context), length)


def hkdf_label(length: int, label: bytes, context: bytes) -> bytes:
    """The octets of an HkdfLabel, by hand because a handshake needs dozens; a test holds them against the schema."""
    return length.to_bytes(2) + vector(PREFIX + label, 1) + vector(context, 1)


def expand(hash_function: HashFunction, secret: bytes, name: str, context: bytes = b"") -> bytes:
    """The secret or key called `name` in the tables, from `secret`, over `context` (a digest, or empty)."""
    label, length = _ROWS[name]
    return expand_label(hash_function, secret, label, context, length or hash_function.length)


def early_secret(hash_function: HashFunction, psk: bytes = b"") -> bytes:
    """`early`, from a ticket's PSK or from zeros."""
    zeros = bytes(hash_function.length)
    return hash_function.extract(zeros, psk or zeros)


def handshake_secrets(hash_function: HashFunction, kem_secret: bytes, h1: bytes, psk: bytes = b"") -> HandshakeSecrets:
    """From the KEM secret (32 or 64 octets, hybrid: ML-KEM part first, KS-2), H1 (KS-7) and a ticket's PSK."""
    zeros = bytes(hash_function.length)
    early = early_secret(hash_function, psk)
    handshake = hash_function.extract(_derived(hash_function, early), kem_secret)
    transcript = hash_function.digest(h1)
    return HandshakeSecrets(
        c_hs=expand(hash_function, handshake, "c_hs", transcript),
        s_hs=expand(hash_function, handshake, "s_hs", transcript),
        master=hash_function.extract(_derived(hash_function, handshake), zeros),
    )


def first_generation(hash_function: HashFunction, master: bytes, t_ck: bytes) -> GenerationSecrets:
    """Generation 1 over TH_1 = Hash(T_ck); root_1 does not outlive this call (KS-4, KS-5)."""
    th_1 = hash_function.digest(t_ck)
    root_1 = expand(hash_function, master, "root_1", th_1)
    return replace(_children(hash_function, root_1, th_1), exp=expand(hash_function, root_1, "exp", th_1))


def next_generation(
    hash_function: HashFunction, last: GenerationSecrets, kem_secret: bytes, exchange: bytes
) -> GenerationSecrets:
    """Generation g + 1 from rekey_g and TH_g of the last one; `exchange` is `0x20 || offer || 0x21 || ack` (KS-8)."""
    root = hash_function.extract(last.rekey, kem_secret)
    return _children(hash_function, root, hash_function.digest(last.th + exchange))


def _children(hash_function: HashFunction, root: bytes, th: bytes) -> GenerationSecrets:
    c_ap, s_ap, rekey, res = (expand(hash_function, root, name, th) for name in ("c_ap", "s_ap", "rekey", "res"))
    return GenerationSecrets(c_ap, s_ap, rekey, res, th)


def finished_mac(hash_function: HashFunction, base_secret: bytes, transcript: bytes) -> bytes:
    """verify_data: HMAC under the finished key of c_hs or s_hs over Hash(transcript) (HS-14, HS-16)."""
    return hash_function.hmac(expand(hash_function, base_secret, "finished_key"), hash_function.digest(transcript))


def psk_mac(hash_function: HashFunction, psk: bytes, name: str, transcript: bytes) -> bytes:
    """Proof of knowing the PSK: `binder_key` makes the client's (RES-9), `s_psk_auth` the server's (RES-11)."""
    key = expand(hash_function, early_secret(hash_function, psk), name, hash_function.digest(b""))
    return finished_mac(hash_function, key, transcript)


def next_traffic_secret(hash_function: HashFunction, traffic: bytes) -> bytes:
    """traffic_{s+1} (spec/rotation.md)."""
    return expand(hash_function, traffic, "traffic_next")


def exporter(hash_function: HashFunction, exp: bytes, label: bytes, context: bytes, length: int) -> bytes:
    """Keying material for the application, `length` octets (KS-6; RFC 8446 section 7.5).

    LocalError if the label does not have 1 to MAX_LABEL octets, or `length` is not 1 to 255 times Hash.length.
    """
    if not 1 <= len(label) <= MAX_LABEL or not 1 <= length <= 255 * hash_function.length:
        bounds = f"a label of 1 to {MAX_LABEL} octets, and gives 1 to {255 * hash_function.length}"
        raise LocalError(f"KS-6: the exporter wants {bounds}")
    derived = expand_label(hash_function, exp, label, hash_function.digest(b""), hash_function.length)
    return expand_label(hash_function, derived, b"exporter", hash_function.digest(context), length)


def _derived(hash_function: HashFunction, secret: bytes) -> bytes:
    return expand(hash_function, secret, "derived", hash_function.digest(b""))
