"""Transcripts: every message of a case, decoded with the keys that the peer had when it sent or read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

from qzmq_conformance.forms import Layout, Malformed, Span
from qzmq_ref.handshake.messages import SEALED, STRUCTURES
from qzmq_ref.records import HEADER
from qzmq_ref.registries import MessageType
from qzmq_ref.spec.notation import Enum, Reference
from qzmq_ref.spec.schema import load

_STRUCTURE_OF: Mapping[int, str] = {int(kind): name for kind, name in STRUCTURES.items()}
SHOWN = 32  # octets of a value that a transcript shows


@dataclass(frozen=True)
class Entry:
    """A message, or octets that are none, in one direction. `plaintext` is None if the peer could not open it."""

    sender: str
    octets: bytes
    hash_length: int = 0
    plaintext: bytes | None = None
    framed: bool = True

    def lines(self) -> Iterator[str]:
        """The entry in words: one line for the message, one for each field."""
        if not self.framed or not self.octets:
            yield f"{self.sender} > {len(self.octets)} octets {_brief(self.octets)}"
            return
        yield f"{self.sender} > {name_of(MessageType, self.octets[0])} ({len(self.octets)} octets)"
        for line in self._fields():
            yield f"    {line}"

    def _fields(self) -> Iterator[str]:
        kind = self.octets[0]
        body = self.octets[1:]
        if kind in SEALED:
            yield from self._decoded("RecordHeader", self.octets[: HEADER.size])
            if self.plaintext is None:
                yield f"sealed {_brief(self.octets[HEADER.size :])}"
                return
            body = self.plaintext
        structure = _STRUCTURE_OF.get(kind, "")
        yield from self._decoded(structure, body) if structure else [f"octets {_brief(body)}"]
        if kind == MessageType.CLIENT_KEY and self.plaintext is not None:
            yield from self._decoded("ClientAuth", self.plaintext)

    def _decoded(self, structure: str, octets: bytes) -> Iterator[str]:
        try:
            spans = Layout(load().ast, {"hash_length": self.hash_length}).spans(structure, octets)
        except Malformed as error:
            yield f"{structure} malformed ({error}): {_brief(octets)}"
            return
        for span in spans:
            value = octets[span.start : span.end]
            yield f"{structure}.{span.path} = {_brief(value)}{_meaning(span, value)}"


def _meaning(span: Span, value: bytes) -> str:
    """The name of a code point, in brackets."""
    enum = load().ast[span.type.name] if isinstance(span.type, Reference) else None
    if not isinstance(enum, Enum):
        return ""
    return next((f" ({name})" for name, code in enum.members.items() if code == int.from_bytes(value)), "")


def name_of(kind: type[IntEnum], value: int) -> str:
    """The name of a code point as the specification writes it, or its number in hexadecimal."""
    try:
        return kind(value).name.lower()
    except ValueError:
        return f"0x{value:02x}"


def _brief(octets: bytes) -> str:
    cut = f"... ({len(octets)} octets)" if len(octets) > SHOWN else ""
    return octets[:SHOWN].hex() + cut
