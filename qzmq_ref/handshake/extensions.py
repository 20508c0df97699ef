"""Which extension is legal where (table `extensions`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qzmq_ref.alerts import Alert
from qzmq_ref.handshake.messages import parse_structure
from qzmq_ref.registries import (
    AlertDescription,
    ClientAuthRequest,
    Extension,
    ExtensionType,
    MessageType,
    SigId,
)
from qzmq_ref.spec.tables import tables

LISTED: frozenset[tuple[int, MessageType]] = frozenset(
    (ExtensionType[row["Extension"].upper()], MessageType[row["Message"].upper()]) for row in tables()["extensions"]
)


def listed_extensions(extensions: Sequence[Extension], message: MessageType) -> Mapping[int, bytes]:
    """Type -> data of a hello's listed extensions; duplicates are an Alert (REG-7), unlisted ones ignored in
    ClientHello (REG-8) and an Alert in ServerHello (REG-9)."""
    found: dict[int, bytes] = {}
    for extension in extensions:
        if extension.extension_type in found:
            detail = f"extension 0x{extension.extension_type:04x} stands twice"
            raise Alert(AlertDescription.DECODE_ERROR, "REG-7", detail)
        found[extension.extension_type] = extension.extension_data
    unlisted = [extension_type for extension_type in found if (extension_type, message) not in LISTED]
    if unlisted and message is MessageType.SERVER_HELLO:
        detail = f"extension 0x{unlisted[0]:04x} is not legal in ServerHello"
        raise Alert(AlertDescription.UNSUPPORTED_EXTENSION, "REG-9", detail)
    return {extension_type: data for extension_type, data in found.items() if extension_type not in unlisted}


def last_but_pre_shared_key(extensions: Sequence[Extension], added: Extension) -> tuple[Extension, ...]:
    """`extensions` with `added` at the end, or before pre_shared_key, which stays last (PUZ-4)."""
    if extensions and extensions[-1].extension_type == ExtensionType.PRE_SHARED_KEY:
        return (*extensions[:-1], added, extensions[-1])
    return (*extensions, added)


def client_auth_request(extensions: Mapping[int, bytes]) -> tuple[SigId | int, ...] | None:
    """The algorithms the server asks for, None if it does not ask; Alert if malformed (REG-10)."""
    data = extensions.get(ExtensionType.CLIENT_AUTH_REQUEST)
    if data is None:
        return None
    request: ClientAuthRequest = parse_structure("ClientAuthRequest", data, "REG-10")
    return request.algorithms
