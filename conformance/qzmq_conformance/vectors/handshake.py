"""Kind `handshake`: transcripts of every suite, and of every fault that the conformance suite knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from itertools import product

from qzmq_conformance import faults
from qzmq_conformance.case import MODES
from qzmq_conformance.fault import Fault, refused
from qzmq_conformance.keys import policy
from qzmq_conformance.metadata import faults as metadata_faults
from qzmq_conformance.metadata import raw_faults
from qzmq_conformance.peer import HONEST, Deviation
from qzmq_conformance.suites import suites_of
from qzmq_conformance.vectors.keyschedule import everything
from qzmq_conformance.vectors.meeting import Meeting, Setting
from qzmq_conformance.vectors.shape import (
    FLAG,
    HEX,
    SUITE,
    Fields,
    Group,
    Kind,
    Layout,
    Recipe,
    Refusal,
    Source,
    array,
    named,
    one_of,
    refusal,
)
from qzmq_ref.alerts import alert_name
from qzmq_ref.handshake.configuration import Role
from qzmq_ref.registries import AeadId, CipherSuite, HashId, KemId, SigId

DATA: dict[Role, bytes] = {"client": b"\x00\x05hello", "server": b"\x00\x05world"}
STRANGERS = (("client", "CERT-4", "ClientAuth"), ("server", "CERT-3", "ServerHello"))
"""Whose key is none that the other side knows, and what tells."""
MESSAGE: Fields = {
    "type": "object",
    "properties": {"sender": one_of("client", "server"), "octets": HEX},
    "required": ["sender", "octets"],
    "additionalProperties": False,
}
TOO_LONG = "suites-ceiling"
"""A hello with 16383 suites says little and weighs much."""
OF_THE_SUITE = (
    "kem-key",
    "ciphertext",
    "x25519",
    "signature",
    "certificate-ed",
    "certificate-ml",
    "stranger",
    "sealed",
)
"""How the names of those faults begin that look different in another mode; the others are told of the lightest."""
BY_MODE: Mapping[str, tuple[str, ...]] = {
    "classical": ("",),
    "hybrid": OF_THE_SUITE,
    "pq_only": ("kem-key", "ciphertext"),
}


def groups(source: Source) -> Iterator[Group]:
    """Every suite, raw and zmtp, with and without client authentication; faults in the suite of each mode."""
    for mode in MODES:
        for suite, binding, mutual in product(suites_of(mode), ("zmtp", "raw"), (False, True)):
            setting = Setting(suite, binding, mutual)
            recipes = [_valid(source, setting)]
            if suite == policy(mode).suites[0]:
                recipes += _faults(source, setting, mode)
            yield Group("Handshake", partial(about, source, setting), tuple(recipes))


def about(source: Source, setting: Setting) -> Fields:
    """The fields of a group."""
    keys = {role: setting.key(source, role) for role in ("client", "server")}
    return {
        "suite": suite_names(setting.suite),
        "binding": setting.binding,
        "client_authentication": setting.mutual,
        "server_pin": keys["server"].pin.hex(),
        "client_pin": keys["client"].pin.hex() if setting.mutual else "",
        "server_seed": source.octets("key/server", 32).hex(),
        "client_seed": source.octets("key/client", 32).hex() if setting.mutual else "",
    }


def suite_names(suite: CipherSuite) -> Fields:
    """A suite by the names of its algorithms."""
    parts = (KemId(suite.kem), SigId(suite.sig), AeadId(suite.aead), HashId(suite.hash))
    return dict(zip(("kem", "sig", "aead", "hash"), (part.name.lower() for part in parts), strict=True))


def _valid(source: Source, setting: Setting) -> Recipe:
    return Recipe("honest", partial(_told, source, setting, HONEST, None))


def _told(source: Source, setting: Setting, deviation: Deviation, why: Refusal | None) -> Fields:
    """The fields of a test; the reference's machine must say what the test says."""
    meeting = Meeting(setting, source, _name(setting), deviation).run()
    said = alert_name(meeting.refusal.description) if meeting.refusal else ""
    if said != (why.alert if why else ""):
        raise AssertionError(f"the reference says {meeting.refusal}, the test {why}")
    if why is None:
        for sender, octets in DATA.items():
            meeting.say(sender, octets)
    return told(meeting, why is None and deviation is HONEST)


def told(meeting: Meeting, honest: bool) -> Fields:
    """What happened, and of an honest meeting every value in between."""
    draws, client, server = meeting.kem_draws, meeting.drawn["client"], meeting.drawn["server"]
    fields: dict[str, object] = {
        "prologue": meeting.setting.prologue.hex(),
        "kem_seed": b"".join(server[:draws]).hex(),
        "messages": [{"sender": sender, "octets": octets.hex()} for sender, octets in meeting.messages],
    }
    if not honest:
        return fields
    hedged = meeting.setting.suite.sig != SigId.ED25519
    hello = 3  # GREASE octet, random, GREASE extension
    fields["kem_randomness"] = b"".join(client[hello : hello + draws]).hex()
    if hedged and not meeting.client.resumed:
        fields["server_randomness"] = server[-1].hex()
    if hedged and meeting.setting.mutual and not meeting.client.resumed:
        fields["client_randomness"] = client[-1].hex()
    values = everything(
        meeting.client.hash,
        meeting.kem_secret,
        meeting.client.h1,
        meeting.client.t_ck,
        meeting.setting.prologue + meeting.client.client_hello,
        meeting.client.psk,
    )
    fields["values"] = {name: value.hex() for name, value in ({"kem_secret": meeting.kem_secret} | values).items()}
    return fields


def _faults(source: Source, setting: Setting, mode: str) -> Iterator[Recipe]:
    """The suite's own faults, each in a setting where it can be seen."""
    light = mode == "classical"
    if setting.binding == "raw":
        found = [fault for name in ("ClientAuth", "Finished") for fault in raw_faults(name)] if light else []
    elif setting.mutual:
        found = [*faults.of_client_auth(mode), *faults.of_client_auth_request()]
        for role, rule, structure in STRANGERS if mode != "pq_only" else ():
            stranger = replace(setting, stranger=role)
            yield _fault(source, stranger, refused("stranger", rule, structure))
    else:
        of_server = (*faults.of_server_hello(mode), *faults.of_finished())
        of_client = (*faults.of_client_hello(mode), *faults.of_client_key(mode), *faults.of_anonymous())
        told = (*metadata_faults("ClientAuth"), *metadata_faults("Finished"))
        found = [*of_client, *of_server, *told]
    for fault in found:
        if fault.name != TOO_LONG and fault.name.startswith(BY_MODE[mode]):
            yield _fault(source, setting, fault)
    if light:
        yield from _disorder(source, setting)


def _fault(source: Source, setting: Setting, fault: Fault) -> Recipe:
    why = refusal(fault.requirement, fault.alert) if fault.alert else None
    flags = (fault.deviation.structure,)
    make = partial(_told, source, setting, fault.deviation, why)
    return Recipe(f"{fault.deviation.structure}: {fault.name}", make, why, flags)


def _disorder(source: Source, setting: Setting) -> Iterator[Recipe]:
    """HS-18, REC-1, REG-1: each message replaced by every other one and by what is no message."""
    names = ("client_hello", "server_hello", "client_key", "finished")
    for position, due in enumerate(names):
        for other, name in enumerate(names):
            if other == position or (name == "finished" and position == 3):
                continue
            rule = "REC-1" if name == "finished" else "HS-18"
            make = partial(_disordered, source, setting, position, other, b"")
            yield Recipe(f"{name} in place of {due}", make, refusal(rule, "unexpected_message"), ("Order",))
        for code in (0x00, 0x07, 0x11, 0x7F, 0xFF):
            make = partial(_disordered, source, setting, position, position, bytes([code]))
            yield Recipe(f"type {code:#04x} in place of {due}", make, refusal("REG-1"), ("Order",))


def _disordered(source: Source, setting: Setting, position: int, other: int, code: bytes) -> Fields:
    meeting = _whole(source, setting)
    sender, octets = meeting.messages[position][0], meeting.messages[other][1]
    shown = [*meeting.messages[:position], (sender, code + octets[1:] if code else octets)]
    fields = told(meeting, honest=False)
    return {**fields, "messages": [{"sender": by, "octets": message.hex()} for by, message in shown]}


@cache
def _whole(source: Source, setting: Setting) -> Meeting:
    return Meeting(setting, source, _name(setting)).run()


def _name(setting: Setting) -> str:
    return f"handshake/{setting.suite}/{setting.binding}/{setting.mutual}"


STRUCTURES = ("ClientHello", "ServerHello", "ClientKey", "ClientAuth", "Finished")
FIELDS: Fields = {
    "prologue": HEX,
    "kem_seed": HEX,
    "messages": array(MESSAGE),
    "kem_randomness?": HEX,
    "server_randomness?": HEX,
    "client_randomness?": HEX,
    "values?": named(HEX),
}
GROUP: Fields = {
    "suite": SUITE,
    "binding": one_of("zmtp", "raw"),
    "client_authentication": FLAG,
    "server_pin": HEX,
    "client_pin": HEX,
    "server_seed": HEX,
    "client_seed": HEX,
}

KIND = Kind(
    name="handshake",
    purpose="Handshakes: whole transcripts in every suite, raw and zmtp, with and without client authentication.",
    header=(
        "messages are QZMQ messages without the binding's frames: ClientHello, ServerHello, ClientKey, Finished, then",
        "the first data record of the client and of the server. The last message of an invalid test is the one that",
        "its receiver refuses; all before it are right. kem_seed is the server's, kem_randomness the client's (see",
        "kem).",
    ),
    notes={
        **{name: f"What is wrong, or merely unusual, is in {name}." for name in STRUCTURES},
        "Order": "The message has no place here, or its type none in the protocol.",
    },
    layouts={"Handshake": Layout(GROUP, FIELDS)},
    groups=groups,
)
