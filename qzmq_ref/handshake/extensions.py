"""Which extension is legal where (table `extensions`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qzmq_ref.alerts import Alert
from qzmq_ref.handshake.messages import parse_structure
from qzmq_ref.registries import (
    AlertDescription,
    Extension,
    ExtensionType,
    MessageType,
)
from qzmq_ref.spec.tables import tables

LISTED: Mapping[tuple[int, MessageType], str] = {
    (ExtensionType[row["Extension"].upper()], MessageType[row["Message"].upper()]): row["Structure"]
    for row in tables()["extensions"]
}
"""Structure of the data of each extension, where it is legal."""


def listed_extensions(extensions: Sequence[Extension], message: MessageType) -> Mapping[int, Any]:
    """Type -> parsed data of a hello's listed extensions.

    Raises Alert for duplicates (REG-7), malformed data (REG-10) and unlisted ones in ServerHello (REG-9); unlisted ones
    of ClientHello are ignored (REG-8).
    """
    found: dict[int, Any] = {}
    for extension in extensions:
        extension_type = extension.extension_type
        if extension_type in found:
            raise Alert(AlertDescription.DECODE_ERROR, "REG-7", f"extension 0x{extension_type:04x} stands twice")
        name = LISTED.get((extension_type, message))
        if name is None and message is MessageType.SERVER_HELLO:
            detail = f"extension 0x{extension_type:04x} is not legal in ServerHello"
            raise Alert(AlertDescription.UNSUPPORTED_EXTENSION, "REG-9", detail)
        found[extension_type] = parse_structure(name, extension.extension_data, "REG-10") if name else None
    return {extension_type: value for extension_type, value in found.items() if value is not None}


def last_but_pre_shared_key(extensions: Sequence[Extension], added: Extension) -> tuple[Extension, ...]:
    """`extensions` with `added` at the end, or before pre_shared_key, which stays last (PUZ-4)."""
    if extensions and extensions[-1].extension_type == ExtensionType.PRE_SHARED_KEY:
        return (*extensions[:-1], added, extensions[-1])
    return (*extensions, added)
