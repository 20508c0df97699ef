"""Kind `keyschedule`: every secret, key and nonce from stated inputs, with every value in between."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

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
    constant,
    named,
    one_of,
    refusal,
)
from qzmq_ref.crypto.hash import HashFunction
from qzmq_ref.handshake import keyschedule as ks
from qzmq_ref.registries import HashId

HASHES = tuple(hash_id for hash_id in HashId if hash_id is not HashId.BLAKE3)
SCHEDULES = 24
"""Tests for each hash, with and without a PSK."""
LABELS = ("derived", "c hs traffic", "key", "iv", "finished", "a", "x" * 249)
MACS = {"client": ("c_hs", "HS-14"), "server": ("s_hs", "HS-16")}


def groups(source: Source) -> Iterator[Group]:
    """For each hash: whole schedules, single steps, exporters, confirmations."""
    for hash_id in HASHES:
        h, fields = HashFunction(hash_id), constant(hash=hash_id.name.lower())
        schedules = (_schedule(source, h, hash_id, i, resumed) for resumed in (False, True) for i in range(SCHEDULES))
        yield Group("Schedule", fields, tuple(schedules))
        yield Group("ExpandLabel", fields, tuple(_labels(source, h, hash_id)))
        yield Group("Exporter", fields, tuple(_exporters(source, h, hash_id)))
        for sender in MACS:
            made = constant(hash=hash_id.name.lower(), sender=sender)
            yield Group("VerifyData", made, tuple(_verify_data(source, h, hash_id, sender)))


def _schedule(source: Source, h: HashFunction, hash_id: HashId, number: int, resumed: bool) -> Recipe:
    def make() -> Fields:
        name = f"keyschedule/{hash_id}/{number}/{resumed}"
        inputs = {
            "kem_secret": source.octets(f"{name}/kem", 64 if number % 2 else 32),
            "h1": source.octets(f"{name}/h1", 40 + number),
            "t_ck": source.octets(f"{name}/t_ck", 60 + number),
            "hello": source.octets(f"{name}/hello", 20 + number),
        }
        psk = source.octets(f"{name}/psk", h.length) if resumed else b""
        values = everything(h, inputs["kem_secret"], inputs["h1"], inputs["t_ck"], inputs["hello"], psk)
        shown = {key: octets.hex() for key, octets in (inputs | ({"psk": psk} if resumed else {})).items()}
        return {**shown, "values": {key: octets.hex() for key, octets in values.items()}}

    return Recipe(f"schedule {number}{' from a ticket' if resumed else ''}", make, flags=("Psk",) if resumed else ())


def everything(
    h: HashFunction, kem_secret: bytes, h1: bytes, t_ck: bytes, hello: bytes, psk: bytes = b""
) -> dict[str, bytes]:
    """Every row of the tables `secrets` and `keys`, up to generation 1, by its name in the specification."""
    empty, early = h.digest(b""), ks.early_secret(h, psk)
    handshake = h.extract(ks.expand(h, early, "derived", empty), kem_secret)
    secrets = ks.handshake_secrets(h, kem_secret, h1, psk)
    generation = ks.first_generation(h, secrets.master, t_ck)
    found = {
        "early": early,
        "binder_key": ks.expand(h, early, "binder_key", empty),
        "s_psk_auth": ks.expand(h, early, "s_psk_auth", empty),
        "c_early": ks.expand(h, early, "c_early", h.digest(hello)),
        "handshake": handshake,
        "Hash(H1)": h.digest(h1),
        "c_hs": secrets.c_hs,
        "s_hs": secrets.s_hs,
        "auth_key": ks.expand(h, secrets.c_hs, "auth_key"),
        "auth_iv": ks.expand(h, secrets.c_hs, "auth_iv"),
        "c_finished_key": ks.expand(h, secrets.c_hs, "finished_key"),
        "s_finished_key": ks.expand(h, secrets.s_hs, "finished_key"),
        "master": secrets.master,
        "TH_1": generation.th,
        "root_1": ks.expand(h, secrets.master, "root_1", generation.th),
        "c_ap": generation.c_ap,
        "s_ap": generation.s_ap,
        "rekey": generation.rekey,
        "res": generation.res,
        "exp": generation.exp,
    }
    for name in ("c_early", "s_hs", "c_ap", "s_ap"):
        found[f"{name}_key"] = ks.expand(h, found[name], "record_key")
        found[f"{name}_iv"] = ks.expand(h, found[name], "record_iv")
    return found


def _labels(source: Source, h: HashFunction, hash_id: HashId) -> Iterator[Recipe]:
    for label in LABELS:
        for context_size in (0, 1, h.length, 255):
            for length in (1, 12, 32, h.length, 200):
                yield Recipe(
                    f"{length} octets over a context of {context_size}",
                    partial(_expanded, source, h, hash_id, label, context_size, length),
                )


def _expanded(source: Source, h: HashFunction, hash_id: HashId, label: str, context_size: int, length: int) -> Fields:
    secret = source.octets(f"keyschedule/{hash_id}/label/{label}", h.length)
    context = source.octets(f"keyschedule/{hash_id}/context", context_size)
    return {
        "secret": secret.hex(),
        "label": label,
        "context": context.hex(),
        "length": length,
        "hkdf_label": ks.hkdf_label(length, label.encode(), context).hex(),
        "output": ks.expand_label(h, secret, label.encode(), context, length).hex(),
    }


def _exporters(source: Source, h: HashFunction, hash_id: HashId) -> Iterator[Recipe]:
    for label in ("a", "application key", "EXPORTER-Channel-Binding"):
        for context_size in (0, 1, 100):
            for length in (16, 32, h.length, 255):
                yield Recipe(
                    f"{length} octets for {label!r} over a context of {context_size}",
                    partial(_exported, source, h, hash_id, label, context_size, length),
                )


def _exported(source: Source, h: HashFunction, hash_id: HashId, label: str, context_size: int, length: int) -> Fields:
    exp = source.octets(f"keyschedule/{hash_id}/exp", h.length)
    context = source.octets(f"keyschedule/{hash_id}/exporter context", context_size)
    output = ks.exporter(h, exp, label.encode(), context, length)
    return {"exp": exp.hex(), "label": label, "context": context.hex(), "length": length, "output": output.hex()}


def _verify_data(source: Source, h: HashFunction, hash_id: HashId, sender: str) -> Iterator[Recipe]:
    name, rule = MACS[sender]
    for number in range(12):
        yield Recipe(f"transcript {number}", partial(_confirmed, source, h, hash_id, name, number, 0))
    for position in range(1, h.length + 1):
        make = partial(_confirmed, source, h, hash_id, name, 0, position)
        yield Recipe(f"bit of octet {position - 1} changed", make, refusal(rule), ("VerifyData",))


def _confirmed(source: Source, h: HashFunction, hash_id: HashId, name: str, number: int, wrong: int) -> Fields:
    """`wrong` is the octet, counted from 1, that is changed; 0 for none."""
    path = f"keyschedule/{hash_id}/{name}/{number}"
    secret, transcript = source.octets(f"{path}/secret", h.length), source.octets(f"{path}/transcript", 50 + number)
    mac = bytearray(ks.finished_mac(h, secret, transcript))
    if wrong:
        mac[wrong - 1] ^= 1 << (wrong % 8)
    return {"secret": secret.hex(), "transcript": transcript.hex(), "verify_data": mac.hex()}


KIND = Kind(
    name="keyschedule",
    purpose="The key schedule: every secret, key and nonce, with every value in between (KS-1 to KS-8).",
    header=(
        "A Schedule starts from kem_secret and stands for the octets of H1, T_ck and prologue || ClientHello by h1,",
        "t_ck and hello; psk is that of a ticket. values has the names of the tables secrets and keys.",
    ),
    notes={
        "Psk": "early is made from a ticket's PSK.",
        "VerifyData": "The peer's confirmation is not the one that the transcript gives.",
    },
    layouts={
        "Schedule": Layout(
            {"hash": TEXT},
            {"kem_secret": HEX, "h1": HEX, "t_ck": HEX, "hello": HEX, "psk?": HEX, "values": named(HEX)},
        ),
        "ExpandLabel": Layout(
            {"hash": TEXT},
            {"secret": HEX, "label": TEXT, "context": HEX, "length": INTEGER, "hkdf_label": HEX, "output": HEX},
        ),
        "Exporter": Layout(
            {"hash": TEXT}, {"exp": HEX, "label": TEXT, "context": HEX, "length": INTEGER, "output": HEX}
        ),
        "VerifyData": Layout(
            {"hash": TEXT, "sender": one_of("client", "server")}, {"secret": HEX, "transcript": HEX, "verify_data": HEX}
        ),
    },
    groups=groups,
)
