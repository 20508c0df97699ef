"""Checks every vector of QZMQ/1 on its own: nothing of the reference is imported, and nothing of it is trusted.

    python vectors/consume.py [--json] [FILE ...]

Structures, labels and rules are written down here a second time, from the pages of the specification. `cryptography`
does what it can; kyber-py and dilithium-py repeat what is drawn from stated randomness. A test that is valid must pass
to its last octet; one that is invalid must be refused for the stated requirement, with the stated alert.
"""

from __future__ import annotations

import argparse
import hmac
import json
import re
import sys
from base64 import b85encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from ipaddress import ip_address
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

from cryptography import x509
from cryptography.exceptions import InvalidSignature, InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa, mlkem
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, SignatureAlgorithmOID
from dilithium_py.ml_dsa import ML_DSA_44, ML_DSA_65, ML_DSA_87
from kyber_py.ml_kem import ML_KEM_768, ML_KEM_1024

Json = dict[str, Any]

ALERTS = {
    "unexpected_message": "REC-1 REC-6 HS-18 REG-1 RAW-5 ZMTP-8 RES-14",
    "bad_record_mac": "REC-8 ROT-5 RES-16",
    "record_overflow": "ZMTP-10 RAW-6",
    "handshake_failure": "HS-3 PAT-1 ZMTP-4",
    "bad_certificate": "CERT-2 CERT-7 CERT-8 CERT-11",
    "unsupported_certificate": "CERT-1 CERT-10 CERT-14 CERT-15",
    "certificate_expired": "CERT-12",
    "certificate_unknown": "CERT-3",
    "illegal_parameter": "REC-4 REC-5 REC-7 REC-13 ROT-2 ROT-4 ROT-6 ROT-7 ROT-8 ROT-12 ROT-13 ROT-14 "
    "REG-4 REG-5 REG-6 HS-4 HS-5 HS-10 HS-11 HS-15 PAT-7 PAT-8 RES-2 RES-7 RES-8 RES-10 "
    "RES-12 RES-15 RES-19 PUZ-1 PUZ-3 PUZ-4 PUZ-5 RAW-3 ZMTP-5",
    "unknown_ca": "CERT-9 CERT-13",
    "access_denied": "CERT-4",
    "decode_error": "REC-2 REG-2 REG-7 REG-10 PAT-3 PAT-4 RAW-2 ZMTP-2",
    "decrypt_error": "HS-6 HS-9 HS-13 HS-14 HS-16 RES-9 RES-11",
    "protocol_version": "HS-2 PUZ-7 ZMTP-3",
    "unsupported_extension": "REG-9 RES-13",
    "unrecognized_name": "CERT-16",
    "certificate_required": "HS-12",
}
ANSWERS = {rule: alert for alert, rules in ALERTS.items() for rule in rules.split()}


class Refused(Exception):
    """A rule is broken."""

    def __init__(self, rule: str) -> None:
        super().__init__(f"{rule}: {ANSWERS[rule]}")
        self.rule = rule


class Wrong(Exception):
    """The vector is wrong: what was computed is not what it says."""


def refuse(rule: str) -> NoReturn:
    raise Refused(rule)


def same(what: str, computed: Any, said: Any) -> None:
    """The vector must say what was computed; octets are said in hexadecimal."""
    if isinstance(computed, bytes):
        computed = computed.hex()
    if computed != said:
        raise Wrong(f"{what}: computed {str(computed)[:80]}, said {str(said)[:80]}")


# ---------------------------------------------------------------------- structures (notation.md)

STRUCTURES = {
    "AlertBody": "description AlertDescription",
    "Certificate": "certificate_type CertificateType, body opaque[rest]",
    "CertificateChain": "certificates CertificateEntry[rest]",
    "CertificateEntry": "der opaque<1..16777215>",
    "CipherSuite": "kem KemId, sig SigId, aead AeadId, hash HashId",
    "ClientAuth": "certificate opaque<0..16777215>, signature opaque<0..65535>, metadata opaque<0..65535>, "
    "early_count uint32, verify_data opaque[hash]",
    "ClientAuthRequest": "algorithms SigId<1..255>",
    "ClientHello": "version uint8, random opaque[32], suites CipherSuite<4..65532>, extensions Extension<0..65535>",
    "ClientKey": "kem_ciphertext opaque<0..65535>, sealed_auth opaque<16..16777215>",
    "EarlyDataAnswer": "status EarlyDataStatus",
    "Empty": "nothing opaque[0]",
    "Extension": "extension_type ExtensionType, extension_data opaque<0..65535>",
    "Finished": "metadata opaque<0..65535>, verify_data opaque[hash]",
    "Greeting": "signature_start uint8, padding opaque[8], signature_end uint8, version_major uint8, "
    "version_minor uint8, mechanism opaque[20], as_server uint8, filler opaque[31]",
    "HelloRetry": "version uint8, cookie opaque<16..64>, difficulty uint8",
    "HkdfLabel": "length uint16, label opaque<7..255>, context opaque<0..255>",
    "KeyUpdate": "kind KeyUpdateKind, generation uint8, body KeyUpdateKind?",
    "KeyUpdateAck": "generation uint8, kem_ciphertext opaque<0..65535>",
    "Metadata": "properties Property[rest]",
    "NewTicket": "lifetime uint32, early_octets uint32, nonce opaque<1..255>, identity opaque<1..65535>",
    "PreSharedKey": "identity opaque<1..65535>, binder opaque<32..64>",
    "Property": "name opaque<1..255>, value opaque<0..2147483647>",
    "PuzzleSolution": "cookie opaque<16..64>, solution uint64",
    "RawFrame": "message opaque<1..4294967295>",
    "RecordHeader": "type MessageType, flags uint8, epoch uint16, stream_id uint32, seq uint64",
    "ServerHello": "version uint8, random opaque[32], suite CipherSuite, kem_public_key opaque<0..65535>, "
    "certificate opaque<0..16777215>, extensions Extension<0..65535>, signature opaque<0..65535>",
}
TYPES = (0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x10, 0x20, 0x21, 0x30, 0x31)
ENUMS: Mapping[str, tuple[int, Sequence[int]]] = {
    **dict.fromkeys(("AlertDescription", "CertificateType", "KemId", "SigId", "AeadId", "HashId"), (1, ())),
    "ExtensionType": (2, ()),
    "MessageType": (1, TYPES),
    "EarlyDataStatus": (1, (1, 2, 3)),
    "KeyUpdateKind": (1, (1, 2)),
}
"""Octets of a code point; the listed ones of a closed enum, none for an open one."""
SELECTS = {"KeyUpdateKind": {1: "opaque<0..65535>", 2: "opaque[0]"}}
TYPE = re.compile(r"(\w+)(?:<(\d+)\.\.(\d+)>|\[(\w+)\])?")


def shape_of(kind: str) -> tuple[str, str, str, str]:
    """Element, floor, ceiling and size, each empty where there is none."""
    match = TYPE.fullmatch(kind)
    if match is None:
        raise ValueError(f"{kind} is no type")
    base, floor, ceiling, size = (part or "" for part in match.groups())
    return base, floor, ceiling, size


class Malformed(Exception):
    """Octets that are not exactly one value of their structure."""


@dataclass
class Reader:
    """Octets, and how many of them are read."""

    octets: bytes
    hash_length: int = 0
    at: int = 0

    def take(self, size: int) -> bytes:
        taken = self.octets[self.at : self.at + size]
        if len(taken) != size:
            raise Malformed
        self.at += size
        return taken

    def structure(self, name: str) -> Json:
        found: Json = {}
        for each in STRUCTURES[name].split(", "):
            label, kind = each.split(" ")
            if kind.endswith("?"):
                kind = SELECTS[kind[:-1]][found["kind"]]
            found[label] = self.value(kind)
        return found

    def value(self, kind: str) -> Any:
        base, floor, ceiling, size = shape_of(kind)
        if ceiling:
            length = int.from_bytes(self.take((int(ceiling).bit_length() + 7) // 8))
            if not int(floor) <= length <= int(ceiling):
                raise Malformed
            return self.sequence(base, length)
        if size:
            left = len(self.octets) - self.at
            return self.sequence(
                base, {"rest": left, "hash": self.hash_length}.get(size) if size.isalpha() else int(size)
            )
        if base.startswith("uint"):
            return int.from_bytes(self.take(int(base[4:]) // 8))
        if base not in ENUMS:
            return self.structure(base)
        octets, listed = ENUMS[base]
        code = int.from_bytes(self.take(octets))
        if listed and code not in listed:
            raise Malformed
        return code

    def sequence(self, base: str, length: int | None) -> Any:
        octets = self.take(length or 0)
        if base == "opaque":
            return octets
        inner, found = Reader(octets, self.hash_length), []
        while inner.at < len(octets):
            found.append(inner.value(base))
        return found


def parse(name: str, octets: bytes, rule: str = "REG-2", hash_length: int = 0) -> Json:
    """One structure that fills the octets."""
    reader = Reader(octets, hash_length)
    try:
        value = reader.structure(name)
    except Malformed:
        refuse(rule)
    if reader.at != len(octets):
        refuse(rule)
    return value


def build(name: str, value: Json) -> bytes:
    """The octets of a structure."""
    octets = b""
    for each in STRUCTURES[name].split(", "):
        label, kind = each.split(" ")
        octets += build_value(SELECTS[kind[:-1]][value["kind"]] if kind.endswith("?") else kind, value[label])
    return octets


def build_value(kind: str, value: Any) -> bytes:
    base, _, ceiling, size = shape_of(kind)
    if ceiling or size:
        octets = value if base == "opaque" else b"".join(build_value(base, element) for element in value)
        return (len(octets).to_bytes((int(ceiling).bit_length() + 7) // 8) if ceiling else b"") + octets
    if base.startswith("uint"):
        return int(value).to_bytes(int(base[4:]) // 8)
    return int(value).to_bytes(ENUMS[base][0]) if base in ENUMS else build(base, value)


def plain(value: Any) -> Any:
    """A parsed value as JSON says it."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value


def vector(octets: bytes, size: int) -> bytes:
    return len(octets).to_bytes(size) + octets


# ---------------------------------------------------------------------- primitives (registries.md)


class Hash:
    """One hash, with HMAC and HKDF over it."""

    def __init__(self, name: str) -> None:
        self.name = name.replace("_", "")
        self.length = int(name[4:]) // 8
        self.zeros = bytes(self.length)

    def __call__(self, octets: bytes) -> bytes:
        digest = hashes.Hash(self._algorithm)
        digest.update(octets)
        return digest.finalize()

    @property
    def _algorithm(self) -> hashes.HashAlgorithm:
        known: Mapping[str, hashes.HashAlgorithm]
        known = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
        return known[self.name]

    def mac(self, key: bytes, octets: bytes) -> bytes:
        return hmac.digest(key, octets, self.name)

    extract = mac

    def label(self, length: int, label: str, context: bytes) -> bytes:
        return length.to_bytes(2) + vector(b"qzmq1 " + label.encode(), 1) + vector(context, 1)

    def expand(self, secret: bytes, label: str, context: bytes = b"", length: int = 0) -> bytes:
        """Expand-Label (KS-1); Hash.length octets unless another number is given."""
        length = length or self.length
        return HKDFExpand(self._algorithm, length, self.label(length, label, context)).derive(secret)

    def finished(self, secret: bytes, transcript: bytes) -> bytes:
        return self.mac(self.expand(secret, "finished"), self(transcript))

    def key(self, secret: bytes) -> bytes:
        return self.expand(secret, "key", length=32)

    def iv(self, secret: bytes) -> bytes:
        return self.expand(secret, "iv", length=12)


ML_KEM: Mapping[str, tuple[Any, Any, Any, int, int]] = {
    "768": (mlkem.MLKEM768PrivateKey, mlkem.MLKEM768PublicKey, ML_KEM_768, 1184, 1088),
    "1024": (mlkem.MLKEM1024PrivateKey, mlkem.MLKEM1024PublicKey, ML_KEM_1024, 1568, 1568),
}


class Kem:
    """A row of the table `kems`: an ML-KEM part, an X25519 part, or both in this order."""

    def __init__(self, name: str) -> None:
        parameter = name.rpartition("_")[2] if "ml_kem" in name else ""
        self.ml = ML_KEM.get(parameter)
        self.x = "x25519" in name

    def _split(self, octets: bytes, position: int, rule: str) -> tuple[bytes, bytes]:
        size = self.ml[position] if self.ml else 0
        if len(octets) != size + 32 * self.x:
            refuse(rule)
        return octets[:size], octets[size:]

    def public_key(self, seed: bytes) -> bytes:
        made = self.ml[0].from_seed_bytes(seed[:64]).public_key().public_bytes_raw() if self.ml else b""
        own = X25519PrivateKey.from_private_bytes(seed[-32:]).public_key().public_bytes_raw() if self.x else b""
        return bytes(made + own)

    def check(self, public_key: bytes) -> None:
        """REG-4, REG-6."""
        ours, theirs = self._split(public_key, 3, "REG-4")
        if self.ml:
            try:
                self.ml[1].from_public_bytes(ours)
            except ValueError:
                refuse("REG-4")
        if self.x:
            self._exchange(bytes(range(32)), theirs)

    def encapsulate(self, public_key: bytes, randomness: bytes) -> tuple[bytes, bytes]:
        """Ciphertext and secret; kyber-py, because OpenSSL draws its own randomness."""
        self.check(public_key)
        ours, theirs = self._split(public_key, 3, "REG-4")
        ciphertext = secret = b""
        if self.ml:
            drawing = copy(self.ml[2])
            drawing.random_bytes = lambda _: randomness[:32]
            secret, ciphertext = drawing.encaps(ours)
        if self.x:
            own = randomness[-32:]
            ciphertext += X25519PrivateKey.from_private_bytes(own).public_key().public_bytes_raw()
            secret += self._exchange(own, theirs)
        return ciphertext, secret

    def decapsulate(self, seed: bytes, ciphertext: bytes) -> bytes:
        """REG-5, REG-6."""
        ours, theirs = self._split(ciphertext, 4, "REG-5")
        secret = self.ml[0].from_seed_bytes(seed[:64]).decapsulate(ours) if self.ml else b""
        return bytes(secret) + (self._exchange(seed[-32:], theirs) if self.x else b"")

    @staticmethod
    def _exchange(own: bytes, theirs: bytes) -> bytes:
        try:
            return X25519PrivateKey.from_private_bytes(own).exchange(X25519PublicKey.from_public_bytes(theirs))
        except ValueError:
            refuse("REG-6")


PREFIXES = {
    "ed25519": "302a300506032b6570032100",
    "ml_dsa_44": "30820532300b06096086480165030403110382052100",
    "ml_dsa_65": "308207b2300b0609608648016503040312038207a100",
    "ml_dsa_87": "30820a32300b060960864801650304031303820a2100",
}
"""What a SubjectPublicKeyInfo begins with (RFC 8410, RFC 9881)."""
KEY_SIZES = {"ed25519": 32, "ml_dsa_44": 1312, "ml_dsa_65": 1952, "ml_dsa_87": 2592}
SIGNATURES: Mapping[str, tuple[Any, Any, Any]] = {
    "ed25519": (ed25519.Ed25519PrivateKey.from_private_bytes, ed25519.Ed25519PublicKey, None),
    "ml_dsa_44": (mldsa.MLDSA44PrivateKey.from_seed_bytes, mldsa.MLDSA44PublicKey, ML_DSA_44),
    "ml_dsa_65": (mldsa.MLDSA65PrivateKey.from_seed_bytes, mldsa.MLDSA65PublicKey, ML_DSA_65),
    "ml_dsa_87": (mldsa.MLDSA87PrivateKey.from_seed_bytes, mldsa.MLDSA87PublicKey, ML_DSA_87),
}
SIG_IDS = tuple(SIGNATURES)


@cache
def spki_of(sig: str, seed: bytes) -> bytes:
    """The SubjectPublicKeyInfo that follows from a secret key."""
    return bytes.fromhex(PREFIXES[sig]) + bytes(SIGNATURES[sig][0](seed).public_key().public_bytes_raw())


def algorithm_of(spki: bytes, rule: str) -> str:
    """The algorithm of a key that is exactly one SubjectPublicKeyInfo."""
    for sig, prefix in PREFIXES.items():
        if spki.startswith(bytes.fromhex(prefix)) and len(spki) == len(prefix) // 2 + KEY_SIZES[sig]:
            return sig
    refuse(rule)


def verified(spki: bytes, signature: bytes, message: bytes) -> bool:
    sig = algorithm_of(spki, "CERT-2")
    try:
        SIGNATURES[sig][1].from_public_bytes(spki[len(PREFIXES[sig]) // 2 :]).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def hedged(sig: str, seed: bytes, message: bytes, randomness: bytes) -> bytes:
    """A signature from stated randomness; dilithium-py, because OpenSSL draws its own."""
    if sig == "ed25519":
        return bytes(SIGNATURES[sig][0](seed).sign(message))
    drawing = copy(SIGNATURES[sig][2])
    drawing.random_bytes = lambda _: randomness
    return bytes(drawing.sign(drawing.key_derive(seed)[1], message))


def aead(name: str, key: bytes) -> Any:
    return {"aes_256_gcm": AESGCM, "chacha20_poly1305": ChaCha20Poly1305}[name](key)


def xor(iv: bytes, stream: int, seq: int) -> bytes:
    return (int.from_bytes(iv) ^ (stream << 64 | seq)).to_bytes(12)


# ---------------------------------------------------------------------- key schedule (keyschedule.md)


def handshake_values(h: Hash, kem_secret: bytes, h1: bytes, t_ck: bytes, hello: bytes, psk: bytes) -> dict[str, bytes]:
    """Every value of the tables `secrets` and `keys`, up to generation 1."""
    empty, th_1 = h(b""), h(t_ck)
    early = h.extract(h.zeros, psk or h.zeros)
    handshake = h.extract(h.expand(early, "derived", empty), kem_secret)
    master = h.extract(h.expand(handshake, "derived", empty), h.zeros)
    root = h.expand(master, "root", th_1)
    found = {
        "early": early,
        "binder_key": h.expand(early, "res binder", empty),
        "s_psk_auth": h.expand(early, "s psk auth", empty),
        "c_early": h.expand(early, "c e traffic", h(hello)),
        "handshake": handshake,
        "Hash(H1)": h(h1),
        "c_hs": h.expand(handshake, "c hs traffic", h(h1)),
        "s_hs": h.expand(handshake, "s hs traffic", h(h1)),
        "master": master,
        "TH_1": th_1,
        "root_1": root,
        "exp": h.expand(root, "exp", th_1),
        **generation_values(h, root, th_1),
    }
    found["auth_key"] = h.expand(found["c_hs"], "auth key", length=32)
    found["auth_iv"] = h.expand(found["c_hs"], "auth iv", length=12)
    for side in ("c", "s"):
        found[f"{side}_finished_key"] = h.expand(found[f"{side}_hs"], "finished")
    for name in ("c_early", "s_hs", "c_ap", "s_ap"):
        found |= {f"{name}_key": h.key(found[name]), f"{name}_iv": h.iv(found[name])}
    return found


def generation_values(h: Hash, root: bytes, th: bytes) -> dict[str, bytes]:
    labels = {"c_ap": "c ap traffic", "s_ap": "s ap traffic", "rekey": "rekey", "res": "res"}
    return {name: h.expand(root, label, th) for name, label in labels.items()}


# ---------------------------------------------------------------------- records (records.md, rotation.md)

EARLY = 0xFFFFFFFF
SEALED = {0x10: 1, 0x04: 0, 0x31: 0, 0x20: 0, 0x21: 0, 0x06: 0}
"""Table `streams`."""
FINISHED, DATA = 0x04, 0x10


@dataclass
class Receiver:
    """One receiving direction."""

    aead: str
    h: Hash
    secret: bytes
    generation: int
    seq: int = 0
    data_stream: int = 1
    step: int = 0
    following: bytes = b""
    """The traffic secret of the next generation, if the sender may begin it (ROT-14)."""

    def open(self, record: bytes) -> tuple[int, bytes]:
        """Type and plaintext, without padding; REC-2 to REC-13 in the order of their numbers."""
        if len(record) < 32:
            refuse("REC-2")
        header = parse("RecordHeader", record[:16], "REC-5")
        kind, flags = header["type"], header["flags"]
        if flags and (flags != 1 or kind != DATA):
            refuse("REC-4")
        if header["stream_id"] != (self.data_stream if kind == DATA else SEALED.get(kind, -1)):
            refuse("REC-5")
        if header["seq"] != self.seq:
            refuse("REC-6")
        generation, step, secret, following = self._key(header["epoch"])
        nonce = xor(self.h.iv(secret), header["stream_id"], self.seq)
        try:
            plaintext = aead(self.aead, self.h.key(secret)).decrypt(nonce, record[16:], record[:16])
        except InvalidTag:
            refuse("REC-8")
        self.generation, self.step, self.secret, self.following = generation, step, secret, following
        self.seq += 1
        return kind, unpadded(plaintext) if flags else plaintext

    def _key(self, epoch: int) -> tuple[int, int, bytes, bytes]:
        """Generation, step, its secret, and the secret of the generation that may come next (REC-7)."""
        generation, step = self.generation, self.step
        if epoch == generation << 8 | step:
            return generation, step, self.secret, self.following
        if epoch == (generation << 8 | step + 1) and step < 255:
            return generation, step + 1, self.h.expand(self.secret, "traffic upd"), self.following
        if self.following and epoch == generation + 1 << 8:
            return generation + 1, 0, self.following, b""
        refuse("REC-7")


def unpadded(plaintext: bytes) -> bytes:
    """REC-13."""
    n = int.from_bytes(plaintext[-2:]) if len(plaintext) >= 2 else len(plaintext)
    end = len(plaintext) - 2 - n
    if end < 0 or any(plaintext[end:-2]):
        refuse("REC-13")
    return plaintext[:end]


def read_records(receiver: Receiver, test: Json) -> None:
    """All records, the last of which may be refused; plaintexts are those of the others."""
    records = [bytes.fromhex(record) for record in test["records"]]
    said = test["plaintexts"]
    if len(said) != len(records) - (test["result"] == "invalid"):
        raise Wrong(f"{len(said)} plaintexts of {len(records)} records")
    for number, record in enumerate(records):
        _, plaintext = receiver.open(record)
        if number < len(said):
            same(f"plaintext {number}", plaintext, said[number])


# ---------------------------------------------------------------------- wire (bindings.md)

OWN_RULES = {
    **dict.fromkeys(("Metadata", "Property"), "PAT-3"),
    **dict.fromkeys(("ClientAuthRequest", "EarlyDataAnswer", "Empty", "PreSharedKey", "PuzzleSolution"), "REG-10"),
    "RecordHeader": "REC-2",
}


def check_structure(group: Json, test: Json) -> None:
    name, octets = group["structure"], bytes.fromhex(test["encoded"])
    value = parse(name, octets, OWN_RULES.get(name, "REG-2"), group["hash_length"])
    same("value", plain(value), test.get("value"))
    same("built anew", build(name, value), test["encoded"])


def check_greeting(group: Json, test: Json) -> None:
    octets, theirs_is_server = bytes.fromhex(test["octets"]), group["received_by"] == "client"
    if group["binding"] == "raw":
        right = b"QZMQ/1" + (b"S" if theirs_is_server else b"C") + b"\n"
        wrong = [position for position in range(8) if octets[position] != right[position]]
        if wrong:
            refuse("RAW-3" if wrong[0] == 6 else "RAW-2")
        return
    if (octets[0], octets[9]) != (0xFF, 0x7F):
        refuse("ZMTP-2")
    if octets[10:12] < b"\3\1":
        refuse("ZMTP-3")
    if octets[12:32] != b"QZMQ".ljust(20, b"\0"):
        refuse("ZMTP-4")
    if octets[32] != theirs_is_server:
        refuse("ZMTP-5")
    same("octets of a greeting", len(octets), 64)


def check_frame(group: Json, test: Json) -> None:
    octets, limit = bytes.fromhex(test["octets"]), group["limit"]
    if group["binding"] == "raw":
        size = int.from_bytes(octets[:4])
        if size == 0:
            refuse("RAW-5")
        if size > limit:
            refuse("RAW-6")
        same("message", parse("RawFrame", octets)["message"], test["message"])
        return
    if octets[0] not in (0x04, 0x06):
        refuse("ZMTP-8")
    end = 2 if octets[0] == 0x04 else 9
    size, body = int.from_bytes(octets[1:end]), octets[end:]
    if size - 5 > limit:
        refuse("ZMTP-10")
    if size < 6 or body[:5] != b"\4QZMQ":
        refuse("ZMTP-8")
    same("size", len(body), size)
    same("message", body[5:], test["message"])


# ---------------------------------------------------------------------- kem, signature, keyschedule


def check_encapsulation(group: Json, test: Json) -> None:
    kem, public_key = Kem(group["kem"]), bytes.fromhex(test["public_key"])
    kem.check(public_key)
    seed = bytes.fromhex(test["seed"])
    same("public_key", kem.public_key(seed), test["public_key"])
    ciphertext, secret = kem.encapsulate(public_key, bytes.fromhex(test["randomness"]))
    same("ciphertext", ciphertext, test["ciphertext"])
    same("secret", secret, test["secret"])
    same("secret decapsulated", kem.decapsulate(seed, ciphertext), test["secret"])


def check_decapsulation(group: Json, test: Json) -> None:
    secret = Kem(group["kem"]).decapsulate(bytes.fromhex(test["seed"]), bytes.fromhex(test["ciphertext"]))
    same("secret", secret, test["secret"])


CONTEXTS = {
    "server": (b"QZMQ-v1 server signature\0", "HS-6"),
    "client": (b"QZMQ-v1 client signature\0", "HS-13"),
}


def check_signature(group: Json, test: Json) -> None:
    context, rule = CONTEXTS[group["signer"]]
    seed, digest = bytes.fromhex(group["seed"]), bytes.fromhex(test["digest"])
    same("spki", spki_of(group["sig"], seed), group["spki"])
    if not verified(bytes.fromhex(group["spki"]), bytes.fromhex(test["signature"]), context + digest):
        refuse(rule)
    randomness = bytes.fromhex(test.get("randomness", ""))
    same("signature", hedged(group["sig"], seed, context + digest, randomness), test["signature"])


def check_schedule(group: Json, test: Json) -> None:
    inputs = [bytes.fromhex(test.get(name, "")) for name in ("kem_secret", "h1", "t_ck", "hello", "psk")]
    same_values(handshake_values(Hash(group["hash"]), *inputs), test["values"])


def same_values(computed: Mapping[str, bytes], said: Json) -> None:
    same("names of values", sorted(computed), sorted(said))
    for name, value in computed.items():
        same(name, value, said[name])


def check_expand_label(group: Json, test: Json) -> None:
    h, length = Hash(group["hash"]), test["length"]
    context = bytes.fromhex(test["context"])
    same("hkdf_label", h.label(length, test["label"], context), test["hkdf_label"])
    same("output", h.expand(bytes.fromhex(test["secret"]), test["label"], context, length), test["output"])


def check_exporter(group: Json, test: Json) -> None:
    h = Hash(group["hash"])
    derived = h.expand(bytes.fromhex(test["exp"]), test["label"], h(b""))
    output = h.expand(derived, "exporter", h(bytes.fromhex(test["context"])), test["length"])
    same("output", output, test["output"])


def check_verify_data(group: Json, test: Json) -> None:
    mac = Hash(group["hash"]).finished(bytes.fromhex(test["secret"]), bytes.fromhex(test["transcript"]))
    if mac.hex() != test["verify_data"]:
        refuse("HS-14" if group["sender"] == "client" else "HS-16")


# ---------------------------------------------------------------------- handshake (handshake.md, resumption.md)

HELLO, ANSWER, KEY = 0x01, 0x02, 0x03
PRE_SHARED_KEY, EARLY_DATA, COOKIE, AUTH_REQUEST = 0x0029, 0x002A, 0x002C, 0xFF02
LISTED: Mapping[str, Mapping[int, str]] = {
    "ClientHello": {COOKIE: "PuzzleSolution", PRE_SHARED_KEY: "PreSharedKey", EARLY_DATA: "Empty"},
    "ServerHello": {AUTH_REQUEST: "ClientAuthRequest", PRE_SHARED_KEY: "Empty", EARLY_DATA: "EarlyDataAnswer"},
}
CODES = {
    "kem": ("x25519", "ml_kem_768", "ml_kem_1024", "x25519_ml_kem_768", "x25519_ml_kem_1024"),
    "sig": SIG_IDS,
    "aead": ("aes_256_gcm", "chacha20_poly1305"),
    "hash": ("sha_256", "sha_384", "sha_512"),
}
SOCKETS = {"client": b"DEALER", "server": b"ROUTER"}
SAID = {"client": b"\0\5hello", "server": b"\0\5world"}


def extensions_of(name: str, hello: Json) -> dict[int, Json]:
    """REG-7 to REG-10."""
    found: dict[int, Json] = {}
    seen: set[int] = set()
    for each in hello["extensions"]:
        kind = each["extension_type"]
        if kind in seen:
            refuse("REG-7")
        seen.add(kind)
        if kind in LISTED[name]:
            found[kind] = parse(LISTED[name][kind], each["extension_data"], "REG-10")
        elif name == "ServerHello":
            refuse("REG-9")
    return found


def check_metadata(binding: str, sender: str, octets: bytes) -> None:
    """PAT-1 to PAT-8, of a DEALER and a ROUTER."""
    if binding == "raw":
        return refuse("PAT-8") if octets else None
    if len(octets) > 8192:
        refuse("PAT-3")
    properties = parse("Metadata", octets, "PAT-3")["properties"]
    names = [each["name"].lower() for each in properties]
    if len(set(names)) != len(names) or not all(re.fullmatch(rb"[a-z0-9\-_.+]+", name) for name in names):
        refuse("PAT-4")
    told = dict(zip(names, (each["value"] for each in properties), strict=True))
    legal = {"client": (b"REQ", b"DEALER", b"ROUTER"), "server": (b"REP", b"DEALER", b"ROUTER")}
    if told.get(b"socket-type") not in legal[sender]:
        refuse("PAT-1")
    identity = told.get(b"identity", b"")
    if len(identity) > 255 or identity.startswith(b"\0"):
        refuse("PAT-7")
    return None


def raw_key(certificate: bytes, algorithms: Sequence[str]) -> bytes:
    """The key in a Certificate that is no chain (CERT-1, CERT-2)."""
    shown = parse("Certificate", certificate)
    if shown["certificate_type"] != 0:
        refuse("CERT-1")
    if algorithm_of(shown["body"], "CERT-2") not in algorithms:
        refuse("CERT-1")
    return bytes(shown["body"])


def pin_of(spki: bytes) -> str:
    return sha256(spki).hexdigest()


@dataclass
class Handshake:
    """Both sides of one handshake: each message is judged as its receiver does."""

    group: Json
    test: Json
    state: str = "start"
    seen: bytes = b""
    early: list[bytes] = field(default_factory=list)
    offered: bool = False
    announced: bool = False
    resumed: bool = False
    requested: bool = False
    own_certificate: bytes = b""

    def __post_init__(self) -> None:
        suite = self.group["suite"]
        self.h, self.kem, self.aead = Hash(suite["hash"]), Kem(suite["kem"]), suite["aead"]
        self.codes = {name: CODES[name].index(suite[name]) for name in CODES}
        self.prologue, self.seed = bytes.fromhex(self.test["prologue"]), bytes.fromhex(self.test["kem_seed"])
        self.psk = bytes.fromhex(self.test.get("psk", ""))
        algorithms = SIG_IDS[:1] if suite["sig"] == "ed25519" else SIG_IDS[1:]
        self.client_algorithms: Sequence[str] = algorithms
        for side in ("server", "client"):
            if self.group[f"{side}_seed"]:
                spki = spki_of(suite["sig"], bytes.fromhex(self.group[f"{side}_seed"]))
                same(f"{side}_pin", pin_of(spki), self.group[f"{side}_pin"])

    def run(self) -> None:
        for message in self.test["messages"]:
            self.receive(message["sender"], bytes.fromhex(message["octets"]))
        same("state at the end", self.state, "over")
        if "values" in self.test:
            self.check_values()

    def receive(self, sender: str, octets: bytes) -> None:
        kind, due = octets[0], {"start": HELLO, "wait_server_hello": ANSWER, "wait_client_key": KEY}.get(self.state)
        if kind not in TYPES:
            refuse("REG-1")
        if kind == DATA and self.announced and self.state in ("wait_server_hello", "wait_client_key"):
            self.early.append(octets)
            return
        if kind in SEALED and due:
            refuse("REC-1")
        if kind != due if due else kind not in SEALED:
            refuse("HS-18")
        same("sender", sender, "client" if self.state in ("start", "wait_client_key", "client_data") else "server")
        step = {HELLO: self.client_hello, ANSWER: self.server_hello, KEY: self.client_key}.get(due or 0, self.record)
        step(octets)

    def client_hello(self, octets: bytes) -> None:
        hello = parse("ClientHello", octets[1:])
        if hello["version"] != 1:
            refuse("HS-2")
        extensions = extensions_of("ClientHello", hello)
        if COOKIE in extensions:
            refuse("PUZ-5")
        self.announced, self.offered = EARLY_DATA in extensions, PRE_SHARED_KEY in extensions
        if self.announced and not self.offered:
            refuse("RES-19")
        if self.offered:
            self.check_ticket(hello, octets, extensions[PRE_SHARED_KEY]["binder"])
        if self.codes not in hello["suites"]:
            refuse("HS-3")
        self.hello, self.seen, self.state = octets, self.prologue + octets, "wait_server_hello"

    def check_ticket(self, hello: Json, octets: bytes, binder: bytes) -> None:
        """RES-8, RES-9."""
        if hello["extensions"][-1]["extension_type"] != PRE_SHARED_KEY:
            refuse("RES-8")
        if self.test["known"] and not binder_fits(self.h, self.psk, self.prologue + octets, binder):
            refuse("RES-9")

    def server_hello(self, octets: bytes) -> None:
        hello = parse("ServerHello", octets[1:])
        if hello["version"] != 1:
            refuse("HS-2")
        if hello["suite"] != self.codes:
            refuse("HS-4")
        extensions = extensions_of("ServerHello", hello)
        self.check_resumed(hello, extensions)
        self.requested = AUTH_REQUEST in extensions
        if not self.resumed and not hello["certificate"]:
            refuse("HS-5")
        covered = self.seen + octets[: -len(hello["signature"]) - 2]
        if self.resumed:
            early = self.h.extract(self.h.zeros, self.psk)
            key = self.h.expand(early, "s psk auth", self.h(b""))
            if hello["signature"] != self.h.finished(key, covered):
                refuse("RES-11")
        else:
            self.check_server(hello, covered)
        self.kem.check(hello["kem_public_key"])
        self.public_key, self.server_signature = hello["kem_public_key"], hello["signature"]
        self.covered, self.seen, self.state = covered, self.seen + octets, "wait_client_key"

    def check_resumed(self, hello: Json, extensions: Mapping[int, Json]) -> None:
        """RES-10, RES-13, RES-15."""
        self.resumed, answer = PRE_SHARED_KEY in extensions, extensions.get(EARLY_DATA)
        if (self.resumed and not self.offered) or (answer and not self.announced):
            refuse("RES-13")
        if answer and not self.resumed and answer["status"] != 3:
            refuse("RES-15")
        if self.resumed and (hello["certificate"] or AUTH_REQUEST in extensions):
            refuse("RES-10")
        if self.offered:
            same("resumed", self.resumed, self.test["known"])

    def check_server(self, hello: Json, covered: bytes) -> None:
        """CERT-1 to CERT-3, HS-6."""
        spki = raw_key(hello["certificate"], (self.group["suite"]["sig"],))
        if pin_of(spki) != self.group["server_pin"]:
            refuse("CERT-3")
        if not verified(spki, hello["signature"], CONTEXTS["server"][0] + self.h(covered)):
            refuse("HS-6")

    def client_key(self, octets: bytes) -> None:
        message = parse("ClientKey", octets[1:])
        self.ciphertext = message["kem_ciphertext"]
        self.secret = self.kem.decapsulate(self.seed, self.ciphertext)
        same("public key of kem_seed", self.kem.public_key(self.seed), self.public_key.hex())
        aad = bytes([KEY]) + vector(self.ciphertext, 2)
        self.h1, self.t_ck = self.seen + aad, self.seen + octets
        self.values = handshake_values(
            self.h, self.secret, self.h1, self.t_ck, self.prologue + self.hello, self.psk if self.resumed else b""
        )
        try:
            sealed = aead(self.aead, self.values["auth_key"])
            opened = sealed.decrypt(self.values["auth_iv"], message["sealed_auth"], aad)
        except InvalidTag:
            refuse("HS-9")
        self.client_auth(opened, parse("ClientAuth", opened, hash_length=self.h.length))
        self.state = "wait_finished"

    def client_auth(self, octets: bytes, auth: Json) -> None:
        certificate, signature = auth["certificate"], auth["signature"]
        if certificate and not self.requested:
            refuse("HS-10")
        if bool(certificate) != bool(signature):
            refuse("HS-11")
        if self.group["client_authentication"] and not certificate and not self.resumed:
            refuse("HS-12")
        self.client_signature, self.own_certificate = signature, certificate
        spki = raw_key(certificate, self.client_algorithms) if certificate else b""
        signed = CONTEXTS["client"][0] + self.h(self.h1 + vector(certificate, 3))
        if certificate and not verified(spki, signature, signed):
            refuse("HS-13")
        covered = octets[: -self.h.length]
        if auth["verify_data"] != self.h.finished(self.values["c_hs"], self.h1 + covered):
            refuse("HS-14")
        if auth["early_count"] != len(self.early):
            refuse("HS-15")
        if certificate and pin_of(spki) != self.group["client_pin"]:
            refuse("CERT-4")
        if self.resumed and auth["metadata"] != self.remembered("client"):
            refuse("RES-7")
        check_metadata(self.group["binding"], "client", auth["metadata"])
        self.open_early()

    def remembered(self, side: str) -> bytes:
        """What a side always tells of itself."""
        if self.group["binding"] == "raw":
            return b""
        told = ((b"Socket-Type", SOCKETS[side]), (b"Identity", side.encode()))
        return b"".join(vector(name, 1) + vector(value, 4) for name, value in told)

    def open_early(self) -> None:
        """Early records are opened if the session is resumed, which the tests' servers may still reject."""
        receiver = Receiver(self.aead, self.h, self.values["c_early"], 0, data_stream=EARLY)
        for record in self.early if self.resumed else ():
            same("early data", receiver.open(record)[1], b"\0\5early".hex())

    def record(self, octets: bytes) -> None:
        secret, generation, seq = {
            "wait_finished": ("s_hs", 0, 0),
            "client_data": ("c_ap", 1, 0),
            "server_data": ("s_ap", 1, 1),
        }[self.state]
        kind, plaintext = Receiver(self.aead, self.h, self.values[secret], generation, seq).open(octets)
        if self.state == "wait_finished":
            if kind != FINISHED:
                refuse("HS-18")
            self.finished(plaintext)
            self.state = "client_data"
            return
        same("data", plaintext, SAID[self.state[:6]].hex())
        self.state = "server_data" if self.state == "client_data" else "over"

    def finished(self, octets: bytes) -> None:
        finished = parse("Finished", octets, hash_length=self.h.length)
        covered = self.t_ck + bytes([FINISHED]) + octets[: -self.h.length]
        if finished["verify_data"] != self.h.finished(self.values["s_hs"], covered):
            refuse("HS-16")
        if self.resumed and finished["metadata"] != self.remembered("server"):
            refuse("RES-12")
        check_metadata(self.group["binding"], "server", finished["metadata"])

    def check_values(self) -> None:
        """Every value in between, and what was drawn."""
        same_values({"kem_secret": self.secret} | self.values, self.test["values"])
        randomness = bytes.fromhex(self.test["kem_randomness"])
        same("kem_randomness", self.kem.encapsulate(self.public_key, randomness), (self.ciphertext, self.secret))
        for side, signature, covered in (
            ("server", self.server_signature, self.h(self.covered)),
            ("client", self.client_signature, self.h(self.h1 + vector(self.own_certificate, 3))),
        ):
            if f"{side}_randomness" in self.test:
                drawn, seed = self.test[f"{side}_randomness"], bytes.fromhex(self.group[f"{side}_seed"])
                message = CONTEXTS[side][0] + covered
                repeated = hedged(self.group["suite"]["sig"], seed, message, bytes.fromhex(drawn))
                same(f"{side}_randomness", repeated, signature.hex())


def binder_fits(h: Hash, psk: bytes, octets: bytes, binder: bytes) -> bool:
    """RES-9: over everything before the binder and its length octet."""
    key = h.expand(h.extract(h.zeros, psk), "res binder", h(b""))
    return binder == h.finished(key, octets[: -len(binder) - 1])


def check_handshake(group: Json, test: Json) -> None:
    Handshake(group, test).run()


# ---------------------------------------------------------------------- records, rotation


def check_records(group: Json, test: Json) -> None:
    h = Hash(group["hash"])
    receiver = Receiver(group["aead"], h, bytes.fromhex(test["secret"]), test["generation"], test["seq"])
    receiver.following = bytes.fromhex(test.get("next_secret", ""))
    read_records(receiver, test)


def check_rotation_records(group: Json, test: Json) -> None:
    """As check_records; a wrong epoch or tag has the more precise rules of rotation.md."""
    try:
        check_records(group, test)
    except Refused as refused:
        epochs = [int(record[4:8], 16) for record in test["records"]]
        before, last = epochs[-2] if len(epochs) > 1 else 0x0100, epochs[-1]
        if refused.rule == "REC-8" and last == before + 1:
            refuse("ROT-5")
        if refused.rule == "REC-7":
            refuse("ROT-6" if before & 0xFF == 0xFF else "ROT-4" if last < before else "ROT-2")
        raise


def check_new_generation(group: Json, test: Json) -> None:
    """As check_records; an epoch that does not fit is ROT-14's here."""
    try:
        check_records(group, test)
    except Refused as refused:
        refuse("ROT-14" if refused.rule == "REC-7" else refused.rule)


def check_chain_of_steps(group: Json, test: Json) -> None:
    h, secret = Hash(group["hash"]), bytes.fromhex(test["secret"])
    for step in range(255):
        if step < len(test["steps"]):
            said = test["steps"][step]
            same_values({"traffic": secret, "key": h.key(secret), "iv": h.iv(secret)}, said)
        secret = h.expand(secret, "traffic upd")
    same("traffic_255", secret, test["traffic_255"])


def check_generation(group: Json, test: Json) -> None:
    """ROT-7 to ROT-14, KS-8."""
    h, kem, seed = Hash(group["hash"]), Kem(group["kem"]), bytes.fromhex(test["kem_seed"])
    offer, ack = (bytes.fromhex(test.get(name, "")) for name in ("offer", "ack"))
    if not ack:
        check_key_update(kem, test)
        return
    answer = parse("KeyUpdateAck", ack)
    if answer["generation"] != test["generation"] + 1:
        refuse("ROT-8")
    secret = either("ROT-13", kem.decapsulate, seed, answer["kem_ciphertext"])
    offered = parse("KeyUpdate", offer)
    same("offer", offered, {"kind": 1, "generation": test["generation"] + 1, "body": kem.public_key(seed)})
    repeated = kem.encapsulate(offered["body"], bytes.fromhex(test["kem_randomness"]))
    same("kem_randomness", repeated, (answer["kem_ciphertext"], secret))
    root = h.extract(bytes.fromhex(test["rekey"]), secret)
    th = h(bytes.fromhex(test["th"]) + b"\x20" + offer + b"\x21" + ack)
    found = generation_values(h, root, th)
    found["rekey_next"] = found.pop("rekey")
    same_values({"kem_secret": secret, "root": root, "th_next": th, **found}, test["values"])
    same("received_by", "client", test["received_by"])


def check_key_update(kem: Kem, test: Json) -> None:
    """An offer at a server, a request at a client."""
    update = parse("KeyUpdate", bytes.fromhex(test.get("offer") or test["request"]))
    if update["kind"] != (1 if test["received_by"] == "server" else 2):
        refuse("ROT-7")
    if update["generation"] != test["generation"] + 1:
        refuse("ROT-8")
    either("ROT-12", kem.check, update["body"])
    raise Wrong("nothing is wrong with this KeyUpdate")


def either(rule: str, act: Callable[..., Any], *arguments: Any) -> Any:
    """What `act` gives; whatever it refuses, it refuses for `rule` here."""
    try:
        return act(*arguments)
    except Refused:
        refuse(rule)


# ---------------------------------------------------------------------- tickets, puzzle


def check_psk(group: Json, test: Json) -> None:
    same(
        "psk",
        Hash(group["hash"]).expand(bytes.fromhex(test["res"]), "ticket", bytes.fromhex(test["nonce"])),
        test["psk"],
    )


def check_new_ticket(_: Json, test: Json) -> None:
    if parse("NewTicket", bytes.fromhex(test["new_ticket"]))["lifetime"] > 604800:
        refuse("RES-2")


def check_early_data(group: Json, test: Json) -> None:
    """c_early; then the records within the bounds of RES-14."""
    h = Hash(group["hash"])
    early = h.extract(h.zeros, bytes.fromhex(test["psk"]))
    transcript = h(bytes.fromhex(test["prologue"] + test["client_hello"]))
    secret = h.expand(early, "c e traffic", transcript)
    same("c_early", secret, test["c_early"])
    receiver = Receiver(group["aead"], h, secret, 0, data_stream=EARLY)
    try:
        read_records(receiver, test)
    except Refused as refused:
        refuse("RES-16" if refused.rule == "REC-8" else refused.rule)
    records = test["records"]
    if len(records) > 64 or sum(len(record) // 2 - 32 for record in records) > 16384:
        refuse("RES-14")


def check_puzzle(group: Json, test: Json) -> None:
    octets = bytes.fromhex(test["client_hello"])
    first = parse("ClientHello", octets[1:])
    if COOKIE in extensions_of("ClientHello", first):
        refuse("PUZ-5")
    retry = parse("HelloRetry", bytes.fromhex(test["hello_retry"])[1:])
    if retry["version"] != 1:
        refuse("PUZ-7")
    if retry["difficulty"] > group["max_difficulty"]:
        refuse("PUZ-3")
    prologue, psk = bytes.fromhex(test["prologue"]), bytes.fromhex(test.get("psk", ""))
    second_octets = bytes.fromhex(test["second_client_hello"])
    second = parse("ClientHello", second_octets[1:])
    check_second(first, second, retry)
    for hello, sent in ((first, octets), (second, second_octets)) if psk else ():
        binder = extensions_of("ClientHello", hello)[PRE_SHARED_KEY]["binder"]
        same("binder", binder_fits(Hash("sha_256"), psk, prologue + sent, binder), True)
    kinds = [octets[0], second_octets[0], bytes.fromhex(test["hello_retry"])[0], len(prologue)]
    same("types, octets of the prologue", kinds, [HELLO, HELLO, 5, 128])


def check_second(first: Json, second: Json, retry: Json) -> None:
    """PUZ-4, PUZ-1."""
    answer = extensions_of("ClientHello", second).get(COOKIE)
    kept = [each for each in first["extensions"] if each["extension_type"] != EARLY_DATA]
    base = without_binder({**first, "extensions": kept})
    if answer is None or answer["cookie"] != retry["cookie"]:
        refuse("PUZ-4")
    cookie = {"extension_type": COOKIE, "extension_data": build("PuzzleSolution", answer)}
    ticketed = bool(kept) and kept[-1]["extension_type"] == PRE_SHARED_KEY
    place = len(kept) - ticketed
    expected = {**base, "extensions": [*base["extensions"][:place], cookie, *base["extensions"][place:]]}
    if without_binder(second) != expected:
        refuse("PUZ-4")
    covered = sha256(bytes([HELLO]) + build("ClientHello", base)).digest()
    digest = sha256(b"qzmq1 puzzle" + answer["cookie"] + covered + answer["solution"].to_bytes(8)).digest()
    if int.from_bytes(digest) >> (256 - retry["difficulty"]):
        refuse("PUZ-1")


def without_binder(hello: Json) -> Json:
    """The hello with the octets of its binder set to zero."""
    if not hello["extensions"] or hello["extensions"][-1]["extension_type"] != PRE_SHARED_KEY:
        return hello
    key = parse("PreSharedKey", hello["extensions"][-1]["extension_data"], "REG-10")
    zeroed = build("PreSharedKey", {**key, "binder": bytes(len(key["binder"]))})
    last = {"extension_type": PRE_SHARED_KEY, "extension_data": zeroed}
    return {**hello, "extensions": [*hello["extensions"][:-1], last]}


# ---------------------------------------------------------------------- certificates (certificates.md)

Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
B85 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
OIDS = {
    SignatureAlgorithmOID.ED25519: "ed25519",
    SignatureAlgorithmOID.ML_DSA_44: "ml_dsa_44",
    SignatureAlgorithmOID.ML_DSA_65: "ml_dsa_65",
    SignatureAlgorithmOID.ML_DSA_87: "ml_dsa_87",
}
UNDERSTOOD = (
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
)
PURPOSES = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH}


def z85(octets: bytes) -> str:
    return b85encode(octets).decode().translate(str.maketrans(B85, Z85))


def check_pin(_: Json, test: Json) -> None:
    seed = bytes.fromhex(test["seed"])
    spki = spki_of(test["sig"], seed)
    same("spki", spki, test["spki"])
    same("pin", pin_of(spki), test["pin"])
    same("pin_z85", z85(sha256(spki).digest()), test["pin_z85"])
    same("seed_z85", z85(seed), test["seed_z85"])


def check_raw_key(group: Json, test: Json) -> None:
    spki = raw_key(bytes.fromhex(test["certificate"]), (group["sig"],))
    if pin_of(spki) not in group["pins"]:
        refuse({"server": "CERT-3", "client": "CERT-4"}[group["of"]])


def read_certificate(der: bytes) -> x509.Certificate:
    """CERT-7."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        extensions = list(certificate.extensions)
    except Exception:  # noqa: BLE001 (whatever the parser minds, the octets are a peer's)
        refuse("CERT-7")
    if certificate.version is not x509.Version.v3 or extensions is None:
        refuse("CERT-7")
    return certificate


def extension(certificate: x509.Certificate, kind: type[Any]) -> Any:
    """The value of an extension, or None."""
    return next((each.value for each in certificate.extensions if isinstance(each.value, kind)), None)


def check_chain(group: Json, test: Json) -> None:
    """CERT-1, CERT-7 to CERT-16, in this order."""
    shown = parse("Certificate", bytes.fromhex(test["certificate"]))
    same("certificate_type", shown["certificate_type"], 1)
    entries = parse("CertificateChain", shown["body"])["certificates"]
    if not 1 <= len(entries) <= 8:
        refuse("CERT-7")
    chain = [read_certificate(entry["der"]) for entry in entries]
    spki = chain[0].public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    same("sig of the leaf", algorithm_of(spki, "CERT-7"), group["sig"])
    for one, issuer in pairwise(chain):
        if one.issuer.public_bytes() != issuer.subject.public_bytes():
            refuse("CERT-8")
    check_path(group, path_of(chain, [read_certificate(bytes.fromhex(der)) for der in test["anchors"]]))
    name = test.get("name", group["name"])
    if name and not named(chain[0], name):
        refuse("CERT-16")


def path_of(chain: list[x509.Certificate], anchors: list[x509.Certificate]) -> list[x509.Certificate]:
    """CERT-9; the tests have one anchor each."""
    for position in range(1, len(chain)):
        if chain[position] in anchors:
            return chain[: position + 1]
    for anchor in anchors:
        if anchor.subject.public_bytes() == chain[-1].issuer.public_bytes():
            return [*chain, anchor]
    refuse("CERT-9")


def check_path(group: Json, path: list[x509.Certificate]) -> None:
    """CERT-10 to CERT-15."""
    for one in path:
        oids = (one.public_key_algorithm_oid, one.signature_algorithm_oid)
        if not all(OIDS.get(oid) in group["algorithms"] for oid in oids):
            refuse("CERT-10")
    for one, issuer in pairwise(path):
        try:
            one.verify_directly_issued_by(issuer)
        except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
            refuse("CERT-11")
    now = datetime.fromtimestamp(group["now"], UTC)
    if not all(one.not_valid_before_utc <= now <= one.not_valid_after_utc for one in path):
        refuse("CERT-12")
    check_issuers(path[1:])
    for one in path:
        for each in one.extensions:
            if each.oid == ExtensionOID.NAME_CONSTRAINTS or (each.critical and each.oid not in UNDERSTOOD):
                refuse("CERT-14")
    check_purposes(path, PURPOSES[group["of"]])


def check_issuers(issuers: list[x509.Certificate]) -> None:
    """CERT-13."""
    between = 0
    for issuer in issuers:
        basic, usage = extension(issuer, x509.BasicConstraints), extension(issuer, x509.KeyUsage)
        if basic is None or not basic.ca or (usage and not usage.key_cert_sign):
            refuse("CERT-13")
        if basic.path_length is not None and between > basic.path_length:
            refuse("CERT-13")
        between += issuer.subject != issuer.issuer


def check_purposes(path: list[x509.Certificate], purpose: x509.ObjectIdentifier) -> None:
    """CERT-15."""
    usage = extension(path[0], x509.KeyUsage)
    found = [extension(one, x509.ExtendedKeyUsage) for one in path]
    if found[0] is None or (usage and not usage.digital_signature):
        refuse("CERT-15")
    if any(purposes is not None and purpose not in purposes for purposes in found):
        refuse("CERT-15")


def named(leaf: x509.Certificate, name: str) -> bool:
    """CERT-16."""
    alternatives = extension(leaf, x509.SubjectAlternativeName) or x509.SubjectAlternativeName([])
    try:
        return ip_address(name) in alternatives.get_values_for_type(x509.IPAddress)
    except ValueError:
        pass
    name = name.lower()
    wildcard = f"*.{name.partition('.')[2]}" if "." in name else name
    return any(said.lower() in (name, wildcard) for said in alternatives.get_values_for_type(x509.DNSName))


# ---------------------------------------------------------------------- files

Check = Callable[[Json, Json], None]
CHECKS: Mapping[str, Mapping[str, Check]] = {
    "wire": {"Structure": check_structure, "Greeting": check_greeting, "Frame": check_frame},
    "kem": {"Encapsulation": check_encapsulation, "Decapsulation": check_decapsulation},
    "signature": {"Signature": check_signature},
    "keyschedule": {
        "Schedule": check_schedule,
        "ExpandLabel": check_expand_label,
        "Exporter": check_exporter,
        "VerifyData": check_verify_data,
    },
    "handshake": {"Handshake": check_handshake},
    "records": {"Records": check_records},
    "rotation": {
        "Chain": check_chain_of_steps,
        "Records": check_rotation_records,
        "NewGeneration": check_new_generation,
        "Generation": check_generation,
    },
    "tickets": {
        "Psk": check_psk,
        "NewTicket": check_new_ticket,
        "Resumption": check_handshake,
        "EarlyData": check_early_data,
    },
    "puzzle": {"Puzzle": check_puzzle},
    "certificates": {"Pin": check_pin, "RawKey": check_raw_key, "Chain": check_chain},
}


def judge(check: Check, group: Json, test: Json) -> str:
    """What is wrong with a test, or nothing."""
    said = f"{test.get('requirement')}: {test.get('alert')}" if test["result"] == "invalid" else "valid"
    try:
        check(group, test)
        found = "valid"
    except Refused as refused:
        found = str(refused)
    except Wrong as wrong:
        return str(wrong)
    except (KeyError, ValueError, IndexError, TypeError, AttributeError, AssertionError) as error:
        return f"cannot be checked: {type(error).__name__}: {error}"
    return "" if found == said else f"is {found}, said to be {said}"


def consume(vectors: Json, every: int = 1) -> Iterator[tuple[int, str]]:
    """Number and fault of each wrong test; of the file as a whole, number 0. Only each `every`-th is checked."""
    kind = str(vectors["algorithm"]).removeprefix("QZMQ/1 ")
    checks = CHECKS.get(kind)
    if checks is None or vectors["schema"] != f"schemas/{kind}.schema.json":
        yield 0, f"unknown algorithm {vectors['algorithm']!r} or schema {vectors['schema']!r}"
        return
    number = 0
    for group in vectors["testGroups"]:
        for test in group["tests"]:
            number += 1
            if test["tcId"] != number or set(test["flags"]) - set(vectors["notes"]):
                yield number, f"tcId {test['tcId']} or flags {test['flags']} are not those of the file"
            if number % every == 0 and (fault := judge(checks[group["type"]], group, test)):
                yield number, fault
    if number != vectors["numberOfTests"]:
        yield 0, f"{number} tests, said to be {vectors['numberOfTests']}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0 if every test is right, 1 if one is wrong."""
    parser = argparse.ArgumentParser(prog="consume.py", description=(__doc__ or "").partition("\n")[0])
    here = Path(__file__).parent
    parser.add_argument("files", nargs="*", type=Path, default=[here / f"{kind}.json" for kind in CHECKS])
    parser.add_argument("--every", type=int, default=1, metavar="N", help="check only each N-th test")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    report: dict[str, Json] = {}
    for path in options.files:
        vectors = json.loads(path.read_text(encoding="utf-8"))
        faults = dict(consume(vectors, options.every))
        checked = vectors["numberOfTests"] // options.every
        report[str(path)] = {"tests": vectors["numberOfTests"], "checked": checked, "faults": faults}
        if not options.json:
            print(
                f"{path.name}: {checked} of {vectors['numberOfTests']} tests checked, {len(faults)} wrong", flush=True
            )
            for number, fault in faults.items():
                print(f"  tcId {number}: {fault}", flush=True)
    if options.json:
        print(json.dumps(report, indent=1))
    return int(any(each["faults"] for each in report.values()))


if __name__ == "__main__":
    sys.exit(main())
