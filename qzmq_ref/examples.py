"""The worked examples of spec/: one session computed from fixed seeds, laid out run by run (NOT-12).

With the `pure` provider every octet follows from the entropy, so anybody can compute the same session.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256, shake_256

from cryptography.hazmat.primitives.serialization import Encoding

from qzmq_ref import z85
from qzmq_ref.authority import Authority, Purpose, Term, authority_certificate, leaf_certificate, private_key
from qzmq_ref.crypto import Entropy, provider
from qzmq_ref.crypto.aead import TAG
from qzmq_ref.crypto.hash import HashFunction
from qzmq_ref.crypto.signature import SigningKey
from qzmq_ref.handshake import keyschedule
from qzmq_ref.handshake.certificates import CertificateChain, CertificateEntry
from qzmq_ref.handshake.client import auth_aead
from qzmq_ref.handshake.configuration import Configuration, Role
from qzmq_ref.handshake.keyschedule import HkdfLabel
from qzmq_ref.handshake.machine import step
from qzmq_ref.handshake.messages import SEALED, STRUCTURES, AlertBody, ClientKey, ServerHello, build
from qzmq_ref.handshake.outputs import Send
from qzmq_ref.handshake.session import Session, known
from qzmq_ref.metadata import Property, build_metadata
from qzmq_ref.policy import Limits, Policy
from qzmq_ref.raw import RawBinding
from qzmq_ref.records import HEADER, OVERHEAD, PADDED, RecordWriter, pad
from qzmq_ref.registries import AlertDescription, MessageType, SigId
from qzmq_ref.sequels import sequels
from qzmq_ref.spec.annotate import SHOWN, Run, annotate, render
from qzmq_ref.spec.schema import load
from qzmq_ref.spec.tables import spec_directory, specification
from qzmq_ref.zmtp import ZmtpBinding

MARKS = re.compile(r"(<!-- generated: qzmq spec examples ([\w -]+) -->\n).*?(<!-- end generated -->)", re.DOTALL)
INSIDE = {"certificate": "Certificate", "metadata": "Metadata"}
DATA = b"\x00\x05hello"
"""A ZMTP message frame: flags, size, body."""


def seeded(name: str) -> Entropy:
    """Entropy that anybody can repeat: call number i answers SHAKE-256("qzmq example " || name || uint32 i)."""
    calls = iter(range(2**32))

    def entropy(size: int) -> bytes:
        return shake_256(b"qzmq example " + name.encode() + next(calls).to_bytes(4)).digest(size)

    return entropy


@cache
def configuration(role: Role) -> Configuration:
    """A DEALER that connects to a ROUTER; both have keys, and each expects the other's."""
    told: tuple[Property, ...]
    policy, pure = Policy.preset("default"), provider("pure")
    keys = {
        name: SigningKey.from_seed(policy.signature, seeded(f"{name} key")(32), pure) for name in ("client", "server")
    }
    if role == "client":
        told = (Property(b"Socket-Type", b"DEALER"), Property(b"Identity", b"worker"))
        trusted = frozenset({keys["server"].pin})
        return Configuration("client", policy, keys["client"], trusted, None, told, b"DEALER", pure)
    authorised = frozenset({keys["client"].pin})
    told = (Property(b"Socket-Type", b"ROUTER"),)
    return Configuration("server", policy, keys["server"], frozenset(), authorised, told, b"ROUTER", pure)


@dataclass(frozen=True, repr=False)
class Worked:
    """Everything of one handshake: messages from the type octet on, plaintexts, secrets in the order of derivation."""

    client_hello: bytes
    server_hello: bytes
    client_key: bytes
    client_auth: bytes
    finished: bytes
    finished_record: bytes
    data: bytes
    data_record: bytes
    h1: bytes
    secrets: Mapping[str, bytes]
    hash: HashFunction

    @property
    def parameters(self) -> Mapping[str, int]:
        """What the structures need to be read."""
        return {"hash_length": self.hash.length}


@cache
def worked() -> Worked:
    """The example's handshake, by the reference's own machine, and the client's first record."""
    client, server = (Session(configuration(role), prologue(), seeded(role)) for role in ("client", "server"))
    client = step(client, "(begin)")
    server = step(server, "client_hello", client.client_hello[1:], "plain")
    kem_key = known(server.kem_key)
    client = step(client, "server_hello", server.server_hello[1:], "plain")
    server = step(server, "client_key", client.client_key[1:], "plain")
    finished = next(output.octets for output in server.outputs if isinstance(output, Send))
    secrets = _secrets(client, kem_key.decapsulate(client.kem_ciphertext))
    data = pad(memoryview(DATA), 16)

    def writer(secret: bytes, generation: int) -> RecordWriter:
        return RecordWriter(client.chosen, Limits(), lambda: 0.0, secret, generation)

    return Worked(
        client_hello=client.client_hello,
        server_hello=client.server_hello,
        client_key=client.client_key,
        client_auth=_client_auth(client),
        finished=finished,
        finished_record=_sealed(writer(secrets["s_hs"], 0), MessageType.FINISHED, finished),
        data=data,
        data_record=_sealed(writer(secrets["c_ap"], 1), MessageType.DATA, data, PADDED),
        h1=client.h1,
        secrets=secrets,
        hash=client.hash,
    )


def prologue() -> bytes:
    """Both greetings, the client's first."""
    return ZmtpBinding("client").greeting() + ZmtpBinding("server").greeting()


def refresh(*, write: bool) -> list[str]:
    """Names of the pages whose examples are not those of today, after writing them anew if `write`."""
    old = specification().pages
    stale = {name: text for name, page in old.items() if (text := rewritten(page)) != page}
    if write:
        for name, text in stale.items():
            (spec_directory() / f"{name}.md").write_text(text, encoding="utf-8")
    return list(stale)


def rewritten(page: str) -> str:
    """The page with every generated example in it computed anew."""
    return MARKS.sub(lambda match: match[1] + "\n".join(map(example, match[2].split())) + match[3], page)


def example(name: str) -> str:
    """The Markdown of one example: of a structure, or `data`, `handshake`, `raw-greeting`."""
    if name == "handshake":
        return "\n".join(_handshake())
    if name == "raw-greeting":
        return "".join(_raw_greeting(role) for role in ("client", "server"))
    if name == "data":
        return _data()
    if name == "RawFrame":
        return _block("`RawFrame` with an alert", _raw_frame())
    octets = structures()[name]
    if not octets:
        return f"`{name}` has no octets.\n"
    return _block(f"`{name}`", annotate(load().ast, name, octets, inside=INSIDE, **worked().parameters))


@cache
def structures() -> Mapping[str, bytes]:
    """One value of every structure, most of them from the worked session."""
    session, alert = worked(), bytes([MessageType.ALERT]) + build(AlertBody(AlertDescription.HANDSHAKE_FAILURE))
    hello = load().parse(ServerHello, session.server_hello[1:])
    metadata = configuration("client").metadata
    label = keyschedule.PREFIX + b"c hs traffic"
    roles: tuple[Role, ...] = ("client", "server")
    later = {role: seeded(f"{role} later") for role in roles}
    return {
        **sequels({role: configuration(role) for role in roles}, prologue(), later),
        "AlertBody": alert[1:],
        "Certificate": hello.certificate,
        "CertificateChain": build(CertificateChain(certificates())),
        "CertificateEntry": build(certificates()[0]),
        "CipherSuite": build(hello.suite),
        "ClientAuth": session.client_auth,
        "ClientAuthRequest": hello.extensions[0].extension_data,
        "ClientHello": session.client_hello[1:],
        "ClientKey": session.client_key[1:],
        "Extension": build(hello.extensions[0]),
        "Finished": session.finished,
        "Greeting": ZmtpBinding("client").greeting(),
        "HkdfLabel": build(HkdfLabel(session.hash.length, label, session.hash.digest(session.h1))),
        "Metadata": build_metadata(metadata),
        "Property": build(metadata[0]),
        "RawFrame": RawBinding("server").header(len(alert)) + alert,
        "RecordHeader": session.data_record[: HEADER.size],
        "ServerHello": session.server_hello[1:],
    }


@cache
def certificates() -> tuple[CertificateEntry, ...]:
    """A server's certificate and its authority's, of Ed25519, whose signatures need no randomness (RFC 8032)."""
    issuer, key = (private_key(SigId.ED25519, seeded(name)(32)) for name in ("authority key", "certified key"))
    term = Term(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    root = authority_certificate("authority", issuer, term, serial=1)
    leaf = leaf_certificate(Authority(issuer, root), "server", key, term, Purpose(("server.example",)), serial=2)
    return tuple(CertificateEntry(certificate.public_bytes(Encoding.DER)) for certificate in (leaf, root))


def _handshake() -> Iterator[str]:
    """Every octet of the worked session, in the order in which it crosses the wire, and what is inside."""
    session, ast, parameters = worked(), load().ast, worked().parameters
    yield _premises()
    for role in ("client", "server"):
        greeting = ZmtpBinding(role).greeting()
        yield _block(f"The {role}'s greeting", annotate(ast, "Greeting", greeting))
    yield _block("Client: `client_hello`", _framed(session.client_hello))
    yield _block("Server: `server_hello`", _framed(session.server_hello))
    yield _block("Client: `client_key`", _framed(session.client_key))
    auth = annotate(ast, "ClientAuth", session.client_auth, inside=INSIDE, **parameters)
    yield _block("In its `sealed_auth`: ClientAuth", auth)
    yield _block("Server: `finished`", _framed(session.finished_record))
    finished = annotate(ast, "Finished", session.finished, inside=INSIDE, **parameters)
    yield _block("In it: Finished", finished)
    yield _data()
    secrets = "\n".join(f"{name:<16}{value.hex()}" for name, value in session.secrets.items())
    yield f"Secrets, in the order of their derivation:\n\n```text\n{secrets}\n```\n"


def _premises() -> str:
    client, server = (z85.encode(known(configuration(role).key).pin).decode() for role in ("client", "server"))
    return (
        "Policy `default`, zmtp binding, both sides with a key. Call number i, from 0, for randomness answers "
        '`SHAKE-256("qzmq example " || who || uint32 i)`, where who is `client` or `server`; the seeds of their keys '
        f"are call 0 of `client key` and `server key`, their pins `{client}` and `{server}`.\n"
    )


def _data() -> str:
    """The client's first data record, padded to 16 octets, and its plaintext."""
    plaintext = (
        Run(0, DATA, "octets", "a ZMTP message frame"),
        Run(len(DATA), worked().data[len(DATA) : -2], "n zero octets", ""),
        Run(len(worked().data) - 2, worked().data[-2:], "n", str(int.from_bytes(worked().data[-2:]))),
    )
    return _block("Client: `data`, padded", _framed(worked().data_record)) + "\n" + _block("In it", plaintext)


def _raw_greeting(role: Role) -> str:
    octets = RawBinding(role).greeting()
    spans = ((0, 6, "magic"), (6, 7, "role"), (7, 8, "newline"))
    runs = tuple(Run(start, octets[start:end], name, repr(octets[start:end])[1:]) for start, end, name in spans)
    return _block(f"The {role}'s greeting", runs)


def _raw_frame() -> tuple[Run, ...]:
    octets = structures()["RawFrame"]
    return (Run(0, octets[:4], "message", f"length {len(octets) - 4}"), *_message(octets[4:], 4))


def _framed(message: bytes) -> tuple[Run, ...]:
    """A message in its ZMTP command frame: a plain one by its structure, a sealed one as record."""
    header = ZmtpBinding("client").header(len(message))
    name = len(header) - 5
    frame = (
        Run(0, header[:1], "flags", "command, long size" if name > 2 else "command"),
        Run(1, header[1:name], "size", str(int.from_bytes(header[1:name]))),
        Run(name, header[name:], "name", "length 4, QZMQ"),
    )
    return frame + _message(message, len(header))


def _message(message: bytes, offset: int) -> tuple[Run, ...]:
    ast, message_type = load().ast, MessageType(message[0])
    if message_type in SEALED:
        tag = offset + len(message) - TAG
        return (
            *annotate(ast, "RecordHeader", message[: HEADER.size], offset=offset),
            Run(offset + HEADER.size, message[HEADER.size : -TAG], "ciphertext", ""),
            Run(tag, message[-TAG:], "tag", ""),
        )
    body = annotate(ast, STRUCTURES[message_type], message[1:], inside=INSIDE, offset=offset + 1)
    return (Run(offset, message[:1], "type", message_type.name.lower()), *body)


def _block(title: str, runs: tuple[Run, ...]) -> str:
    """A title with size and digest, and the runs in a fence."""
    octets = b"".join(run.octets for run in runs)
    digest = f", SHA-256 `{sha256(octets).hexdigest()}`" if any(len(run.octets) > SHOWN for run in runs) else ""
    return f"{title}, {len(octets)} octets{digest}:\n\n```text\n{render(runs)}\n```\n"


def _client_auth(client: Session) -> bytes:
    """The plaintext of `sealed_auth`, opened as the server does."""
    sealed = load().parse(ClientKey, client.client_key[1:]).sealed_auth
    nonce = keyschedule.expand(client.hash, known(client.secrets).c_hs, "auth_iv")
    return auth_aead(client).open(nonce, sealed, client.auth_aad)


def _sealed(writer: RecordWriter, kind: MessageType, plaintext: bytes, flags: int = 0) -> bytes:
    record = bytearray(len(plaintext) + OVERHEAD)
    writer.seal_into(kind, memoryview(plaintext), memoryview(record), flags)
    return bytes(record)


def _secrets(client: Session, kem_secret: bytes) -> Mapping[str, bytes]:
    """The names of tables `secrets` and `keys`, with what they are derived from."""
    h, expand = client.hash, keyschedule.expand
    handshake = keyschedule.handshake_secrets(h, kem_secret, client.h1)
    th_1 = h.digest(client.t_ck)
    generation = keyschedule.first_generation(h, handshake.master, client.t_ck)
    secrets = {
        "kem_secret": kem_secret,
        "Hash(H1)": h.digest(client.h1),
        "c_hs": handshake.c_hs,
        "s_hs": handshake.s_hs,
        "auth_key": expand(h, handshake.c_hs, "auth_key"),
        "auth_iv": expand(h, handshake.c_hs, "auth_iv"),
        "master": handshake.master,
        "TH_1": th_1,
        "root_1": expand(h, handshake.master, "root_1", th_1),
        "c_ap": generation.c_ap,
        "s_ap": generation.s_ap,
        "exp": generation.exp,
    }
    for name in ("s_hs", "c_ap", "s_ap"):
        secrets[f"{name} key"] = expand(h, secrets[name], "record_key")
        secrets[f"{name} iv"] = expand(h, secrets[name], "record_iv")
    return secrets
