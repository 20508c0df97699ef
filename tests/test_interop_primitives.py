"""Primitives that an adapter shows: right ones pass, and each way to be wrong is told."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import pytest

from qzmq_conformance.capabilities import Description
from qzmq_interop.matrix.cells import NULL, PRIMITIVES, Cell
from qzmq_interop.matrix.primitives import outcomes
from qzmq_interop.matrix.verdicts import Outcome, Verdict
from qzmq_ref.crypto import provider
from qzmq_ref.crypto.kem import kem
from qzmq_ref.crypto.signature import SigningKey
from qzmq_ref.registries import KemId, SigId

Shown = dict[str, Any]
MESSAGE = b"what is signed"


def shown_kem(identifier: KemId) -> Shown:
    scheme = kem(identifier, provider())
    key = scheme.generate(os.urandom)
    ciphertext, sent = scheme.encapsulate(key.public_key, os.urandom)
    octets = {"public_key": key.public_key, "ciphertext": ciphertext, "sent": sent}
    octets["received"] = key.decapsulate(ciphertext)
    hexadecimal = {name: value.hex() for name, value in octets.items()}
    return {"kind": "kem", "name": "K", "algorithm": identifier.name.lower(), **hexadecimal}


def shown_signature(sig: SigId) -> Shown:
    key = SigningKey.from_seed(sig, os.urandom(32), provider())
    size = {SigId.ED25519: 32, SigId.ML_DSA_44: 1312, SigId.ML_DSA_65: 1952, SigId.ML_DSA_87: 2592}[sig]
    return {
        "kind": "signature",
        "name": "S",
        "algorithm": sig.name.lower(),
        "public_key": key.spki[-size:].hex(),
        "message": MESSAGE.hex(),
        "signature": key.sign(MESSAGE, os.urandom).hex(),
        "accepts": {"the signature": True, "a flipped bit": False},
    }


def judged(shown: object) -> Outcome:
    cell = Cell(PRIMITIVES, NULL, "somebody", "somebody", ("", ""), True)
    (outcome,) = outcomes(cell, Description("somebody", "1", frozenset(), {"primitives": [shown]}))
    return outcome


@pytest.mark.parametrize("identifier", KemId)
def test_a_kem_that_is_right(identifier: KemId) -> None:
    assert judged(shown_kem(identifier)).verdict is Verdict.PASSED


@pytest.mark.parametrize("sig", SigId)
def test_a_signature_that_is_right(sig: SigId) -> None:
    assert judged(shown_signature(sig)).verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"received": "11" * 32}, "the two sides do not agree"),
        ({"received": "00" * 32}, "the receiver's secret is all zeroes"),
        ({"public_key": "ff" * 1184}, "its public key is none: ML_KEM_768 public key has a wrong length or modulus"),
        ({"public_key": "00"}, "a public key of 1 octets, not 1184"),
        ({"ciphertext": "00" * 1087}, "a ciphertext of 1087 octets, not 1088"),
        ({"error": "out of order"}, "it fails: out of order"),
        ({"sent": 7}, "what it shows of it cannot be read"),
        ({"algorithm": "rot13"}, "what it shows of it cannot be read"),
    ],
)
def test_a_kem_that_is_wrong(change: Mapping[str, object], told: str) -> None:
    outcome = judged({**shown_kem(KemId.ML_KEM_768), **change})
    assert outcome.verdict is Verdict.FAILED
    assert told in outcome.seen


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"accepts": {"the signature": True, "zeroes": True}}, "it accepts zeroes"),
        ({"accepts": {"the signature": False}}, "it refuses the signature"),
        ({"message": b"another".hex()}, "no other implementation accepts its signature"),
        ({"signature": "00" * 2400}, "a signature of 2400 octets, not 2420"),
        ({"public_key": "00" * 1311}, "a public key of 1311 octets, not 1312"),
    ],
)
def test_a_signature_that_is_wrong(change: Mapping[str, object], told: str) -> None:
    outcome = judged({**shown_signature(SigId.ML_DSA_44), **change})
    assert outcome.verdict is Verdict.FAILED
    assert told in outcome.seen


@pytest.mark.parametrize("shown", [7, "text", None, ["x"], {}])
def test_nonsense_is_told_too(shown: object) -> None:
    assert judged(shown).verdict is Verdict.FAILED
