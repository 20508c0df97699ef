"""Kind `tickets`: PSKs, resumed handshakes with binder and server's proof, early data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

from qzmq_conformance.fault import changing, flip, updating
from qzmq_conformance.keys import policy
from qzmq_conformance.peer import HONEST, Deviation
from qzmq_conformance.sealing import Sealer, sealer
from qzmq_conformance.suites import HASHES, suites_of
from qzmq_conformance.vectors.handshake import DATA, FIELDS, GROUP, about, told
from qzmq_conformance.vectors.meeting import Meeting, Setting
from qzmq_conformance.vectors.shape import (
    HEX,
    TEXT,
    Fields,
    Group,
    Kind,
    Layout,
    Recipe,
    Refusal,
    Source,
    array,
    constant,
    refusal,
)
from qzmq_ref.alerts import Alert, alert_name
from qzmq_ref.crypto.hash import HashFunction
from qzmq_ref.handshake import keyschedule as ks
from qzmq_ref.handshake import resume
from qzmq_ref.handshake.certificates import build_certificate
from qzmq_ref.handshake.machine import step
from qzmq_ref.handshake.messages import EarlyDataAnswer, EarlyDataStatus, NewTicket, build
from qzmq_ref.handshake.outputs import SendEarly
from qzmq_ref.handshake.session import Session
from qzmq_ref.handshake.tickets import EARLY_STREAM, MAX_EARLY_OCTETS, MAX_EARLY_RECORDS, ClientTicket, ServerTicket
from qzmq_ref.metadata import build_metadata
from qzmq_ref.policy import MAX_TICKET_LIFETIME
from qzmq_ref.records import RecordReader
from qzmq_ref.registries import AeadId, CipherSuite, ClientAuthRequest, Extension, ExtensionType, HashId, MessageType
from qzmq_ref.tickets import MemoryTickets

NOW = 1.8e9
EARLY = b"\x00\x05early"
LIGHT = policy("classical").suites[0]


def groups(source: Source) -> Iterator[Group]:
    """PSKs, tickets, whole resumptions, early data."""
    for hash_id in HASHES:
        psks = tuple(Recipe(f"nonce {i}", partial(_psk, source, hash_id, i)) for i in range(20))
        yield Group("Psk", constant(hash=hash_id.name.lower()), psks)
    yield Group("NewTicket", dict, tuple(_lifetimes(source)))
    suites = (*suites_of("classical"), *(policy(mode).suites[0] for mode in ("hybrid", "pq_only")))
    for suite, binding, mutual in product(suites, ("zmtp", "raw"), (False, True)):
        setting = Setting(suite, binding, mutual)
        recipes = [_resumption(source, setting, name, HONEST) for name in ("", "early", "rejected", "unknown")]
        if suite == LIGHT:
            recipes += _wrong_resumptions(source, setting)
        yield Group("Resumption", partial(about, source, setting), tuple(recipes))
    for aead, hash_id in product(AeadId, HASHES):
        suite = replace(LIGHT, aead=aead, hash=hash_id)
        fields = constant(aead=aead.name.lower(), hash=hash_id.name.lower())
        yield Group("EarlyData", fields, tuple(_early_records(source, suite)))


# ---------------------------------------------------------------------- tickets


def _psk(source: Source, hash_id: HashId, number: int) -> Fields:
    h = HashFunction(hash_id)
    res, nonce = source.octets(f"tickets/{hash_id}/res", h.length), source.octets("tickets/nonce", 1 + 13 * number)
    return {"res": res.hex(), "nonce": nonce.hex(), "psk": ks.expand(h, res, "psk", nonce).hex()}


def _lifetimes(source: Source) -> Iterator[Recipe]:
    for lifetime in (0, 1, 3600, 86400, MAX_TICKET_LIFETIME - 1, MAX_TICKET_LIFETIME):
        yield Recipe(f"lifetime {lifetime} s", partial(_new_ticket, source, lifetime))
    for lifetime in (MAX_TICKET_LIFETIME + 1, 2 * MAX_TICKET_LIFETIME, 2**31, 2**32 - 1):
        yield Recipe(f"lifetime {lifetime} s", partial(_new_ticket, source, lifetime), refusal("RES-2"), ("Lifetime",))


def _new_ticket(source: Source, lifetime: int) -> Fields:
    ticket = NewTicket(lifetime, MAX_EARLY_OCTETS, source.octets("tickets/nonce", 8), source.octets("tickets/id", 32))
    return {"new_ticket": build(ticket).hex()}


# ---------------------------------------------------------------------- resumption


class Return(Meeting):
    """A handshake whose client offers a ticket, perhaps with early data right behind its hello."""

    def say_hello(self) -> None:
        super().say_hello()
        early = next((out for out in self.client.outputs if isinstance(out, SendEarly)), None)
        if early and not self.refusal:
            record = _early_sealer(early.suite, early.secret).seal(
                MessageType.DATA, early.octets, stream_id=EARLY_STREAM
            )
            self.messages.append(("client", record))
            self.server = step(self.server, "data", early.octets, "early")


def _return(source: Source, setting: Setting, early: str, deviation: Deviation, *, offer: bool = True) -> Return:
    """Both sides remember the same session; `early` is empty, or how the server takes early data."""
    store = MemoryTickets(lambda: NOW)
    permitting = early in ("early", "")
    sides = {}
    for role in ("client", "server"):
        configuration = setting.configuration(source, role, store)
        allowed = replace(configuration.policy, early_data=permitting or role == "client", tickets=0)
        sides[role] = replace(configuration, policy=allowed)
    client, server = sides["client"], sides["server"]
    h = HashFunction(HashId(setting.suite.hash))
    psk, identity = source.octets(f"tickets/{setting.suite}/psk", h.length), source.octets("tickets/identity", 32)
    own = build_certificate(client.key) if client.key else b""
    told_by = {role: build_metadata(side.metadata) for role, side in sides.items()}
    kept = ServerTicket(psk, setting.suite, own, told_by["client"], server.digest, NOW, NOW + 60, MAX_EARLY_OCTETS)
    if early != "unknown":
        store.put(identity, kept)
    ticket = ClientTicket(
        identity,
        psk,
        setting.suite,
        build_certificate(server.key) if server.key else b"",
        told_by["server"],
        told_by["client"],
        client.key.pin if client.key else None,
        MAX_EARLY_OCTETS,
    )
    offered = {"offered": ticket, "early": EARLY if early else b""} if offer else {}
    blank = source.entropy("replaced")
    sessions = {role: Session(side, setting.prologue, blank) for role, side in sides.items()}
    sessions["client"] = sessions["client"].but(**offered)
    name = f"tickets/{setting.suite}/{setting.binding}/{setting.mutual}/{early}"
    return Return(setting, source, name, deviation, **sessions)


def _resumption(
    source: Source,
    setting: Setting,
    early: str,
    deviation: Deviation,
    why: Refusal | None = None,
    comment: str = "",
    *,
    offer: bool = True,
) -> Recipe:
    def make() -> Fields:
        meeting = _return(source, setting, early, deviation, offer=offer).run()
        said = alert_name(meeting.refusal.description) if meeting.refusal else ""
        if said != (why.alert if why else ""):
            raise AssertionError(f"the reference says {meeting.refusal}, the test {why}")
        if why is None:
            for sender, octets in DATA.items():
                meeting.say(sender, octets)
        psk = source.octets(f"tickets/{setting.suite}/psk", HashFunction(HashId(setting.suite.hash)).length)
        known_to = {"psk": psk.hex(), "known": early != "unknown"}
        return {**told(meeting, why is None), **(known_to if offer else {})}

    names = {"": "resumed", "early": "early data accepted", "rejected": "early data rejected"}
    flags = ("Resumption",) if why is None else (deviation.structure,)
    return Recipe(comment or names.get(early, "a ticket that the server does not know"), make, why, flags)


def _wrong_resumptions(source: Source, setting: Setting) -> Iterator[Recipe]:
    for comment, rule, early, deviation in _deviations(setting):
        yield _resumption(source, setting, early, deviation, refusal(rule), comment)
    for comment, extension in (
        ("pre_shared_key to who offered none", Extension(ExtensionType.PRE_SHARED_KEY, b"")),
        ("early_data to who sent none", Extension(ExtensionType.EARLY_DATA, b"\x03")),
    ):
        deviation = Deviation("ServerHello", content=updating("extensions", _with(extension)))
        yield _resumption(source, setting, "", deviation, refusal("RES-13"), comment, offer=False)
    lonely = Deviation("ClientHello", content=updating("extensions", _with(Extension(ExtensionType.EARLY_DATA, b""))))
    yield _resumption(source, setting, "", lonely, refusal("RES-19"), "early_data without a ticket", offer=False)


def _deviations(setting: Setting) -> Iterator[tuple[str, str, str, Deviation]]:
    """Comment, requirement, early data, and what is wrong."""
    for position in (0, 15, -1):
        binder = Deviation("ClientHello", octets=flip(position - 32 if position >= 0 else position))
        yield f"octet {position} of the binder changed", "RES-9", "", binder
        proof = Deviation("ServerHello", signed=updating("signature", flip(position)))
        yield f"octet {position} of the server's proof changed", "RES-11", "", proof
    grease = Extension(0x0A0A, b"")
    for extra in (grease, Extension(ExtensionType.QUANTUM_PROOF, b"x")):
        deviation = Deviation("ClientHello", content=updating("extensions", _with(extra)))
        yield f"extension {extra.extension_type:#06x} behind the ticket", "RES-8", "", deviation
    yield "the server's proof missing", "RES-11", "", Deviation("ServerHello", signed=changing(signature=b""))
    shown = Deviation("ServerHello", content=changing(certificate=b"\0certificate"))
    yield "a certificate in a resumed session", "RES-10", "", shown
    request = Extension(ExtensionType.CLIENT_AUTH_REQUEST, build(ClientAuthRequest((setting.suite.sig,))))
    asking = Deviation("ServerHello", content=updating("extensions", _with(request)))
    yield "client_auth_request in a resumed session", "RES-10", "", asking
    for status in (EarlyDataStatus.ACCEPTED, EarlyDataStatus.REJECTED):
        answer = Extension(ExtensionType.EARLY_DATA, build(EarlyDataAnswer(status)))
        deviation = Deviation("ServerHello", content=changing(extensions=(answer,), certificate=b"\0certificate"))
        yield f"early data {status.name.lower()} without the ticket", "RES-15", "early", deviation
    if setting.binding == "zmtp":
        yield "the client's metadata changed", "RES-7", "", Deviation("ClientAuth", content=_other_metadata)
        yield "the server's metadata changed", "RES-12", "", Deviation("Finished", content=_other_metadata)
    for count in (0, 2):
        yield (
            f"early_count {count} of 1",
            "HS-15",
            "early",
            Deviation("ClientAuth", content=changing(early_count=count)),
        )
    junk = (Extension(ExtensionType.PRE_SHARED_KEY, b"\0"),)
    yield "pre_shared_key of one octet", "REG-10", "", Deviation("ClientHello", content=changing(extensions=junk))


def _with(extension: Extension) -> Callable[[Any], Any]:
    return lambda extensions: (*extensions, extension)


def _other_metadata(value: Any) -> Any:
    told = value.metadata.replace(b"Identity", b"X-Second")
    return replace(value, metadata=told)


# ---------------------------------------------------------------------- early data


def _early_sealer(suite: CipherSuite, secret: bytes) -> Sealer:
    return sealer(suite, secret, 0)


def _early_records(source: Source, suite: CipherSuite) -> Iterator[Recipe]:
    for sizes in ((0,), (1,), (100,), (16, 16, 16), (0, 0, 50), (1,) * 10, (20,) * MAX_EARLY_RECORDS):
        yield _early(source, suite, f"records of {_shortly(sizes)} octets", sizes)
    for sizes in ((0,) * (MAX_EARLY_RECORDS + 1),):
        yield _early(source, suite, f"{len(sizes)} records", sizes, "RES-14", "Bound")
    if suite.aead == AeadId.AES_256_GCM and suite.hash == HashId.SHA_256:
        yield _early(source, suite, "as many octets as can be", (MAX_EARLY_OCTETS,))
        yield _early(source, suite, "an octet too many", (MAX_EARLY_OCTETS, 1), "RES-14", "Bound")
    for at in (16, -16, -1):
        yield _early(source, suite, f"octet {at} of the second changed", (20, 20), "RES-16", "Sealed", change=flip(at))
    for seq in (1, 2**32):
        yield _early(source, suite, f"seq {seq} first", (20,), "REC-6", "Header", seq=seq)
    for epoch in (0x0100, 0x0002, 0xFFFF):
        yield _early(source, suite, f"epoch {epoch:#06x}", (20,), "REC-7", "Header", epoch=epoch)


def _shortly(sizes: tuple[int, ...]) -> str:
    return (
        f"{len(sizes)} times {sizes[0]}" if len(sizes) > 3 and len(set(sizes)) == 1 else " and ".join(map(str, sizes))
    )


def _early(
    source: Source,
    suite: CipherSuite,
    comment: str,
    sizes: tuple[int, ...],
    rule: str = "",
    flag: str = "Early",
    change: Callable[[bytes], bytes] = bytes,
    **header: int,
) -> Recipe:
    why = refusal(rule) if rule else None

    def make() -> Fields:
        name = f"tickets/early/{suite}"
        h = HashFunction(HashId(suite.hash))
        psk, prologue = source.octets(f"{name}/psk", h.length), source.octets(f"{name}/prologue", 16)
        hello = b"\x01" + source.octets(f"{name}/hello", 60)
        session = Session(Setting(suite).configuration(source, "client"), prologue, bytes).but(client_hello=hello)
        secret = resume.early_traffic(h, psk, session)
        sealing, records, octets = _early_sealer(suite, secret), [], []
        for position, size in enumerate(sizes):
            octets.append(source.octets(f"{name}/{position}", size))
            changed = {"stream_id": EARLY_STREAM} | (header if position == len(sizes) - 1 else {})
            records.append(sealing.seal(MessageType.DATA, octets[-1], **changed))
        records[-1] = change(records[-1])
        _check(suite, secret, records, why)
        return {
            "psk": psk.hex(),
            "prologue": prologue.hex(),
            "client_hello": hello.hex(),
            "c_early": secret.hex(),
            "records": [record.hex() for record in records],
            "plaintexts": [each.hex() for each in octets[: len(octets) - bool(why)]],
        }

    return Recipe(comment, make, why, (flag,))


def _check(suite: CipherSuite, secret: bytes, records: list[bytes], why: Refusal | None) -> None:
    """The reference's reader and its bounds say what the test says."""
    reader, total = RecordReader(suite, secret, 0, EARLY_STREAM), 0
    said = ""
    for number, record in enumerate(records, 1):
        try:
            _, _, size = reader.open_into(memoryview(record), memoryview(bytearray(len(record))))
        except Alert as alert:
            said = alert_name(alert.description)
            break
        total += size
        if number > MAX_EARLY_RECORDS or total > MAX_EARLY_OCTETS:
            said = "unexpected_message"
    if said != (why.alert if why else ""):
        raise AssertionError(f"the reference says {said!r}, the test {why}")


KIND = Kind(
    name="tickets",
    purpose="Tickets: PSKs, resumed handshakes with binder and server's proof, early data (RES-1 to RES-19).",
    header=(
        "A Resumption is told like a handshake (see there); psk is the ticket's, and known says whether the server",
        "still has the ticket. A record of early data follows ClientHello where there is one.",
    ),
    notes={
        "Bound": "More early data than RES-14 allows.",
        "Early": "Records of early data, in order.",
        "Header": "A field of the record's header is wrong.",
        "Lifetime": "A ticket that would live too long.",
        "Resumption": "A whole handshake with a ticket.",
        "Sealed": "Octets of the record were changed.",
        "ClientHello": "What is wrong is in ClientHello.",
        "ServerHello": "What is wrong is in ServerHello.",
        "ClientAuth": "What is wrong is in ClientAuth.",
        "Finished": "What is wrong is in Finished.",
    },
    layouts={
        "Psk": Layout({"hash": TEXT}, {"res": HEX, "nonce": HEX, "psk": HEX}),
        "NewTicket": Layout({}, {"new_ticket": HEX}),
        "Resumption": Layout(GROUP, {**FIELDS, "psk?": HEX, "known?": {"type": "boolean"}}),
        "EarlyData": Layout(
            {"aead": TEXT, "hash": TEXT},
            {
                "psk": HEX,
                "prologue": HEX,
                "client_hello": HEX,
                "c_early": HEX,
                "records": array(HEX),
                "plaintexts": array(HEX),
            },
        ),
    },
    groups=groups,
)
