"""Primitives that an adapter has tried out by itself and shown in its description: judged by FIPS 203 and FIPS 204.

For modules that export primitives which their sockets do not use. `primitives` is a list in the answer to `describe`:

    {"kind": "kem", "name": "Kyber", "algorithm": "ml_kem_768",
     "public_key": "...", "ciphertext": "...", "sent": "...", "received": "..."}
    {"kind": "signature", "name": "Dilithium", "algorithm": "ml_dsa_44",
     "public_key": "...", "message": "...", "signature": "...",
     "accepts": {"the signature": true, "a flipped bit": false}}

Octets are in hexadecimal. `sent` and `received` are the secrets of the two sides; `accepts` is what its own
verification says. Instead of all that there may be an `error`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from qzmq_conformance.capabilities import Description
from qzmq_interop.matrix.cells import PRIMITIVES, Cell
from qzmq_interop.matrix.scenario import Scenario
from qzmq_interop.matrix.verdicts import Outcome, Verdict
from qzmq_ref.crypto import provider
from qzmq_ref.crypto.kem import kem
from qzmq_ref.crypto.provider import Invalid
from qzmq_ref.crypto.signature import SigningKey, public_key
from qzmq_ref.registries import KemId, SigId

GENUINE = "the signature"
SEED = bytes(32)
PUBLIC_KEYS = {SigId.ED25519: 32, SigId.ML_DSA_44: 1312, SigId.ML_DSA_65: 1952, SigId.ML_DSA_87: 2592}  # octets


def outcomes(cell: Cell, description: Description) -> Iterator[Outcome]:
    """A verdict on each primitive that the implementation of this cell has shown, if it has shown any."""
    shown = description.more.get(PRIMITIVES, ())
    for number, each in enumerate(shown if isinstance(shown, list) else ()):
        title = f"{each.get('algorithm')}-{each.get('name')}" if isinstance(each, Mapping) else str(number)
        try:
            complaints = list(_complaints(each))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            complaints = [f"what it shows of it cannot be read: {error!r}"]
        verdict = Verdict.FAILED if complaints else Verdict.PASSED
        yield Outcome(
            replace(cell, scenario=Scenario(title, PRIMITIVES)),
            verdict,
            "; ".join(complaints),
            "what FIPS 203, FIPS 204, RFC 7748 or RFC 8032 say",
        )


def _complaints(shown: Mapping[str, Any]) -> Iterator[str]:
    if "error" in shown:
        yield f"it fails: {shown['error']}"
    elif shown["kind"] == "kem":
        yield from _kem(KemId[shown["algorithm"].upper()], shown)
    else:
        yield from _signature(SigId[shown["algorithm"].upper()], shown)


def _kem(identifier: KemId, shown: Mapping[str, Any]) -> Iterator[str]:
    """Sizes, both sides' agreement, and whether the public key is one."""
    ours = kem(identifier, provider())
    key, ciphertext, sent, received = (
        bytes.fromhex(shown[each]) for each in ("public_key", "ciphertext", "sent", "received")
    )
    yield from _size("a public key", key, ours.public_key_size)
    yield from _size("a ciphertext", ciphertext, ours.ciphertext_size)
    if sent != received:
        yield "the two sides do not agree" + (": the receiver's secret is all zeroes" if not any(received) else "")
    if len(key) == ours.public_key_size:
        try:
            ours.encapsulate(key, os.urandom)
        except Invalid as error:
            order = " (QZMQ puts ML-KEM's part first)" if identifier.name.startswith("X25519_") else ""
            yield f"its public key is none: {error}{order}"


def _signature(sig: SigId, shown: Mapping[str, Any]) -> Iterator[str]:
    """Sizes, what it accepts, and whether its signature holds elsewhere."""
    key, message, signature = (bytes.fromhex(shown[each]) for each in ("public_key", "message", "signature"))
    ours = SigningKey.from_seed(sig, SEED, provider())
    spki = ours.spki[: -PUBLIC_KEYS[sig]] + key
    yield from _size("a public key", key, PUBLIC_KEYS[sig])
    yield from _size("a signature", signature, len(ours.sign(message, os.urandom)))
    for what, accepted in shown["accepts"].items():
        if accepted != (what == GENUINE):
            yield f"it {'accepts' if accepted else 'refuses'} {what}"
    try:
        public_key(spki, provider()).verify(signature, message)
    except Invalid as error:
        yield f"no other implementation accepts its signature: {error}"


def _size(what: str, octets: bytes, size: int) -> Iterator[str]:
    if len(octets) != size:
        yield f"{what} of {len(octets)} octets, not {size}"
