"""Structures of the specification, parsed and built (notation.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .verdict import Json, refuse

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
