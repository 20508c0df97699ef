"""Kind `rotation`: steps of a traffic key, and generations by a fresh key exchange."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

from qzmq_conformance.fault import flip, resized
from qzmq_conformance.faults import X25519_SMALL_ORDER
from qzmq_conformance.sealing import sealer
from qzmq_conformance.suites import HASHES
from qzmq_conformance.vectors.records import Direction, data, opened
from qzmq_conformance.vectors.shape import (
    HEX,
    INTEGER,
    TEXT,
    Fields,
    Group,
    Kind,
    Layout,
    Recipe,
    Source,
    array,
    constant,
    named,
    one_of,
    refusal,
)
from qzmq_ref.alerts import Alert, alert_name
from qzmq_ref.crypto import provider
from qzmq_ref.crypto.hash import HashFunction
from qzmq_ref.crypto.kem import kem
from qzmq_ref.handshake import keyschedule as ks
from qzmq_ref.handshake import rekey
from qzmq_ref.handshake.configuration import Configuration
from qzmq_ref.handshake.keyschedule import GenerationSecrets
from qzmq_ref.handshake.messages import KeyUpdate, KeyUpdateAck, KeyUpdateKind, build, parse_body
from qzmq_ref.handshake.session import Session
from qzmq_ref.policy import Policy
from qzmq_ref.registries import AeadId, CipherSuite, HashId, KemId, MessageType, SigId

PURE = provider("pure")
CHAINS = 12
LAST = 255
EXCHANGES = {KemId.X25519: 14}
"""Honest exchanges of a KEM, if more than two."""


def groups(source: Source) -> Iterator[Group]:
    """Chains of traffic secrets; records across steps; exchanges in each KEM and hash."""
    for hash_id in HASHES:
        chains = tuple(Recipe(f"chain {i}", partial(_chain, source, hash_id, i)) for i in range(CHAINS))
        yield Group("Chain", constant(hash=hash_id.name.lower()), chains)
    for aead, hash_id in product(AeadId, HASHES):
        suite = CipherSuite(KemId.X25519, SigId.ED25519, aead, hash_id)
        fields = constant(aead=aead.name.lower(), hash=hash_id.name.lower())
        yield Group("Records", fields, (*_steps(source, suite), *_wrong_steps(source, suite)))
        yield Group("NewGeneration", fields, tuple(_crossings(source, suite)))
    for kem_id, hash_id in product(KemId, HASHES):
        suite = CipherSuite(kem_id, SigId.ED25519, AeadId.AES_256_GCM, hash_id)
        exchanges = (*_exchanges(source, suite), *_wrong_exchanges(source, suite))
        yield Group("Generation", constant(kem=kem_id.name.lower(), hash=hash_id.name.lower()), exchanges)


# ---------------------------------------------------------------------- steps


def _chain(source: Source, hash_id: HashId, number: int) -> Fields:
    """A secret, and what follows from it: every step with its key and nonce base."""
    h = HashFunction(hash_id)
    secret = source.octets(f"rotation/chain/{hash_id}/{number}", h.length)
    steps, start = [], secret
    for _ in range(8):
        steps.append(
            {
                "traffic": secret.hex(),
                "key": ks.expand(h, secret, "record_key").hex(),
                "iv": ks.expand(h, secret, "record_iv").hex(),
            }
        )
        secret = ks.next_traffic_secret(h, secret)
    for _ in range(LAST - 8):
        secret = ks.next_traffic_secret(h, secret)
    return {"secret": start.hex(), "steps": steps, "traffic_255": secret.hex()}


def _steps(source: Source, suite: CipherSuite) -> Iterator[Recipe]:
    """Each digit is a record under that many steps."""
    for pattern in ("0", "1", "01", "001", "0011", "012", "123", "0123456789", "1112223", "00112233"):
        yield Recipe(f"records at steps {pattern}", partial(_at_steps, source, suite, map_steps(pattern), None))
    whole = tuple(range(LAST + 1))
    yield Recipe("a record at every step up to the last", partial(_at_steps, source, suite, whole, None))


def map_steps(pattern: str) -> tuple[int, ...]:
    """The steps that a string of digits names."""
    return tuple(map(int, pattern))


def _at_steps(source: Source, suite: CipherSuite, steps: tuple[int, ...], why: Any, **header: int) -> Fields:
    """Records under these steps; `header` overrides fields of the last one's header, `flip` an octet of it."""
    at, changed = Direction(suite, 7), header.pop("flip", None)
    first, records = at.sealing(source), []
    for position, step in enumerate(steps):
        sealing = at.sealing(source)
        sealing.seq = first.seq + position
        for _ in range(step):
            sealing.step()
        last = position == len(steps) - 1
        records.append(data(sealing, bytes([step & 0xFF]), **(header if last else {})))
    if changed is not None:
        records[-1] = flip(changed)(records[-1])
    return opened(source, at, tuple(records), why)


def _wrong_steps(source: Source, suite: CipherSuite) -> Iterator[Recipe]:
    for pattern in ("2", "3", "02", "13", "9", "012" + "4"):
        yield _wrong_step(source, suite, f"steps {pattern}", "ROT-2", map_steps(pattern), "Jump")
    for pattern in ("10", "0110", "12" + "1", "0123" + "0"):
        yield _wrong_step(source, suite, f"steps {pattern}", "ROT-4", map_steps(pattern), "Back")
    for at in (-1, -16, 16):
        yield _wrong_step(source, suite, f"step 1 with octet {at} changed", "ROT-5", (0, 1), "Forged", flip=at)
    yield _wrong_step(
        source, suite, "step 1 announced under the key of step 0", "ROT-5", (0, 0), "Forged", epoch=0x0101
    )
    whole = tuple(range(LAST + 1))
    for epoch in (0x0100, 0x0200, 0x0000):
        comment = f"epoch {epoch:#06x} after step 255"
        yield _wrong_step(source, suite, comment, "ROT-6", (*whole, LAST), "Last", epoch=epoch)


def _crossings(source: Source, suite: CipherSuite) -> Iterator[Recipe]:
    """Records on both sides of a new generation: each letter is one, a and A of steps 0 and 1 of the old generation, b
    and B of the new one, c of the one after (ROT-14)."""
    for pattern in ("a", "b", "ab", "aab", "abb", "aAb", "aAAb", "abB", "aabbBB", "bbbB"):
        yield Recipe(f"generations {pattern}", partial(_crossing, source, suite, pattern, None), flags=("Generation",))
    for pattern in ("ba", "aba", "abA", "bA", "bBa", "B", "aB", "c", "ac", "abc"):
        why = refusal("ROT-14")
        yield Recipe(f"generations {pattern}", partial(_crossing, source, suite, pattern, why), why, ("Generation",))
    for at in (16, -1):
        why, comment = refusal("REC-8"), f"generations ab, octet {at} of the last record changed"
        yield Recipe(comment, partial(_crossing, source, suite, "ab", why, at), why, ("Generation",))


def _crossing(source: Source, suite: CipherSuite, pattern: str, why: Any, changed: int | None = None) -> Fields:
    at = Direction(suite, 9)
    following = source.octets(f"rotation/crossing/{suite.aead}/{suite.hash}", HashFunction(HashId(suite.hash)).length)
    records = []
    for position, letter in enumerate(pattern):
        generation = 1 + "abc".index(letter.lower())
        sealing = sealer(suite, at.secret(source) if generation == 1 else following, generation)
        sealing.seq = at.seq + position
        if letter.isupper():
            sealing.step()
        records.append(data(sealing, letter.encode()))
    if changed is not None:
        records[-1] = flip(changed)(records[-1])
    return opened(source, at, tuple(records), why, following)


def _wrong_step(
    source: Source, suite: CipherSuite, comment: str, rule: str, steps: tuple[int, ...], flag: str, **change: int
) -> Recipe:
    why = refusal(rule)
    return Recipe(comment, partial(_at_steps, source, suite, steps, why, **change), why, (flag,))


# ---------------------------------------------------------------------- generations


def _exchanges(source: Source, suite: CipherSuite) -> Iterator[Recipe]:
    for number in range(EXCHANGES.get(KemId(suite.kem), 2)):
        generation = (1, 2, 17, 100, 200, 254)[number % 6]
        comment = f"from generation {generation}, exchange {number}"
        yield Recipe(comment, partial(_exchange, source, suite, number, generation))


class _Exchange:
    """A client's offer and a server's ack, from a seed."""

    def __init__(self, source: Source, suite: CipherSuite, number: int, generation: int) -> None:
        name = f"rotation/{suite.kem}/{suite.hash}/{number}"
        self.h, self.generation, self.drawn = HashFunction(HashId(suite.hash)), generation, list[bytes]()
        self.rekey, self.th = (source.octets(f"{name}/{what}", self.h.length) for what in ("rekey", "th"))
        self._entropy = source.entropy(name)
        self.key = kem(KemId(suite.kem), PURE).generate(self._draw)
        self.seed = b"".join(self.drawn)
        self.drawn.clear()
        self.ciphertext, self.secret = kem(KemId(suite.kem), PURE).encapsulate(self.key.public_key, self._draw)
        self.randomness = b"".join(self.drawn)
        self.offer = build(KeyUpdate(KeyUpdateKind.OFFER, generation + 1, self.key.public_key))
        self.ack = build(KeyUpdateAck(generation + 1, self.ciphertext))

    def _draw(self, size: int) -> bytes:
        self.drawn.append(self._entropy(size))
        return self.drawn[-1]

    @property
    def last(self) -> GenerationSecrets:
        """The generation before, of which only two secrets matter."""
        return GenerationSecrets(b"", b"", self.rekey, b"", self.th)

    @property
    def inputs(self) -> dict[str, Any]:
        """The fields of every test of an exchange."""
        said = {"generation": self.generation, "rekey": self.rekey.hex(), "th": self.th.hex()}
        return {**said, "kem_seed": self.seed.hex()}


def _exchange(source: Source, suite: CipherSuite, number: int, generation: int) -> Fields:
    exchange = _Exchange(source, suite, number, generation)
    crossed = b"\x20" + exchange.offer + b"\x21" + exchange.ack
    fresh = ks.next_generation(exchange.h, exchange.last, exchange.secret, crossed)
    values = {
        "kem_secret": exchange.secret,
        "root": exchange.h.extract(exchange.rekey, exchange.secret),
        "th_next": fresh.th,
        "c_ap": fresh.c_ap,
        "s_ap": fresh.s_ap,
        "rekey_next": fresh.rekey,
        "res": fresh.res,
    }
    return {
        **exchange.inputs,
        "kem_randomness": exchange.randomness.hex(),
        "received_by": "client",
        "offer": exchange.offer.hex(),
        "ack": exchange.ack.hex(),
        "values": {name: value.hex() for name, value in values.items()},
    }


def _wrong_exchanges(source: Source, suite: CipherSuite) -> Iterator[Recipe]:
    """What the server refuses in an offer, and the client in a request or an ack."""
    light = suite.kem == KemId.X25519
    for other in (0, 1, 3, 255) if light else (3,):
        for receiver, what in (("server", "offer"), ("client", "ack"), ("client", "request")):
            change = partial(_renumbered, other)
            yield _wrong_exchange(source, suite, f"{what} of generation {other}", "ROT-8", receiver, what, change)
    yield _wrong_exchange(source, suite, "a server's offer", "ROT-7", "client", "offer", _same)
    yield _wrong_exchange(source, suite, "a client's request", "ROT-7", "server", "request", _same)
    for size in (0, 1, 31, 33) if light else (100,):
        change = partial(_with_octets, resized(size))
        yield _wrong_exchange(source, suite, f"key of {size} octets", "ROT-12", "server", "offer", change)
        yield _wrong_exchange(source, suite, f"ciphertext of {size} octets", "ROT-13", "client", "ack", change)
    for number, point in enumerate(X25519_SMALL_ORDER if light else ()):
        change = partial(_with_octets, lambda _, point=point: point)
        yield _wrong_exchange(source, suite, f"key of low order {number}", "ROT-12", "server", "offer", change)
        yield _wrong_exchange(source, suite, f"ciphertext of low order {number}", "ROT-13", "client", "ack", change)


def _wrong_exchange(
    source: Source, suite: CipherSuite, comment: str, rule: str, receiver: str, what: str, change: Any
) -> Recipe:
    why = refusal(rule)

    def make() -> Fields:
        exchange = _Exchange(source, suite, 0, 1)
        messages: dict[str, Any] = {
            "offer": KeyUpdate(KeyUpdateKind.OFFER, 2, exchange.key.public_key),
            "request": KeyUpdate(KeyUpdateKind.REQUEST, 2, b""),
            "ack": KeyUpdateAck(2, exchange.ciphertext),
        }
        octets = build(change(messages[what]))
        said = _judged(suite, exchange, receiver, what, octets)
        if said != why.alert:
            raise AssertionError(f"the reference says {said!r}, the test {why}")
        before = {"offer": exchange.offer.hex()} if what == "ack" else {}
        return {**exchange.inputs, "received_by": receiver, **before, what: octets.hex()}

    return Recipe(comment, make, why, ("Exchange",))


def _judged(suite: CipherSuite, exchange: _Exchange, receiver: str, what: str, octets: bytes) -> str:
    """The alert of the reference's own actions."""
    policy = Policy((replace(suite, kem=KemId.X25519),), mode="classical")
    configuration = Configuration("client", policy, server_pins=frozenset({bytes(32)}), provider=PURE)
    session = Session(configuration, b"", lambda size: bytes(range(size)), suite=suite, generation=1)
    kind = MessageType.KEY_UPDATE_ACK if what == "ack" else MessageType.KEY_UPDATE
    session = session.but(
        generation_secrets=exchange.last,
        kem_key=exchange.key,
        offer=exchange.offer if what == "ack" else b"",
        received=bytes([kind]) + octets,
        epoch="1",
    )
    action: Any = rekey.accept_offer if receiver == "server" else rekey.accept_request
    try:
        (rekey.accept_ack if what == "ack" else action)(session, parse_body(kind, octets))
    except Alert as alert:
        return alert_name(alert.description)
    return ""


def _same(message: Any) -> Any:
    return message


def _renumbered(generation: int, message: Any) -> Any:
    return replace(message, generation=generation)


def _with_octets(change: Any, message: Any) -> Any:
    if isinstance(message, KeyUpdate):
        return replace(message, body=change(message.body))
    return replace(message, kem_ciphertext=change(message.kem_ciphertext))


KIND = Kind(
    name="rotation",
    purpose="Rotation: steps of a traffic key, and generations by a fresh key exchange (ROT-1 to ROT-16).",
    header=(
        "A Chain is a traffic secret and its successors; Records are as in the kind records, of generation 1; in",
        "NewGeneration the sender may also begin the next one, whose traffic secret is next_secret. A Generation goes",
        "from generation, rekey and th to the next one: kem_seed is the client's, kem_randomness the server's, and the",
        "last of offer, request and ack is what received_by reads.",
    ),
    notes={
        "Back": "A record under a step that is over (ROT-4).",
        "Exchange": "KeyUpdate or KeyUpdateAck is wrong.",
        "Generation": "The sender goes over to the next generation (ROT-14).",
        "Forged": "The record announces a step and does not open under it (ROT-5).",
        "Jump": "More than one step ahead (ROT-2).",
        "Last": "There is nothing after step 255 (ROT-6).",
    },
    layouts={
        "Chain": Layout({"hash": TEXT}, {"secret": HEX, "steps": array(named(HEX)), "traffic_255": HEX}),
        "Records": Layout(
            {"aead": TEXT, "hash": TEXT},
            {"secret": HEX, "generation": INTEGER, "seq": INTEGER, "records": array(HEX), "plaintexts": array(HEX)},
        ),
        "NewGeneration": Layout(
            {"aead": TEXT, "hash": TEXT},
            {
                "secret": HEX,
                "next_secret": HEX,
                "generation": INTEGER,
                "seq": INTEGER,
                "records": array(HEX),
                "plaintexts": array(HEX),
            },
        ),
        "Generation": Layout(
            {"kem": TEXT, "hash": TEXT},
            {
                "generation": INTEGER,
                "rekey": HEX,
                "th": HEX,
                "kem_seed": HEX,
                "kem_randomness?": HEX,
                "received_by": one_of("client", "server"),
                "offer?": HEX,
                "request?": HEX,
                "ack?": HEX,
                "values?": named(HEX),
            },
        ),
    },
    groups=groups,
)
