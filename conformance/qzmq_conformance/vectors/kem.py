"""Kind `kem`: key pairs, encapsulations and decapsulations of every KEM, and what a receiver must refuse."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from typing import Any

from qzmq_conformance.fault import ending
from qzmq_conformance.faults import X25519_SMALL_ORDER
from qzmq_conformance.vectors.shape import HEX, TEXT, Fields, Group, Kind, Layout, Recipe, Source, constant, refusal
from qzmq_ref.crypto import Invalid, provider
from qzmq_ref.crypto.kem import kem
from qzmq_ref.crypto.provider import KemPrivateKey
from qzmq_ref.registries import KemId

X25519 = 32
ML_KEM_KEY = {
    KemId.ML_KEM_768: 1184,
    KemId.ML_KEM_1024: 1568,
    KemId.X25519_ML_KEM_768: 1184,
    KemId.X25519_ML_KEM_1024: 1568,
}
"""Octets of the ML-KEM part of a public key."""
PAIRS = {KemId.X25519: 24}
"""Key pairs of a KEM, if more than a few."""
Q = 3329
PURE = provider("pure")


def groups(source: Source) -> Iterator[Group]:
    """For each KEM, its receivers of public keys and of ciphertexts."""
    for kem_id in KemId:
        fields = constant(kem=kem_id.name.lower())
        pairs = range(PAIRS.get(kem_id, 6))
        whole = tuple(_whole(source, kem_id, pair) for pair in pairs)
        yield Group("Encapsulation", fields, (*whole, *_bad_keys(source, kem_id)))
        yield Group("Decapsulation", fields, (*_odd_ciphertexts(source, kem_id), *_bad_ciphertexts(source, kem_id)))


@cache
def _pair(source: Source, kem_id: KemId, pair: int) -> KemPrivateKey:
    return kem(kem_id, PURE).generate(lambda size: source.octets(f"kem/{kem_id}/{pair}/seed{size}", size))


def _seed(source: Source, kem_id: KemId, pair: int) -> bytes:
    """`d || z` of ML-KEM, then the X25519 private key."""
    sizes = [64] * (kem_id in ML_KEM_KEY) + [32] * ("X25519" in kem_id.name)
    return b"".join(source.octets(f"kem/{kem_id}/{pair}/seed{size}", size) for size in sizes)


def _encapsulation(source: Source, kem_id: KemId, pair: int) -> tuple[bytes, bytes, bytes]:
    """The randomness in the order of its use, ciphertext and secret."""
    drawn: list[bytes] = []

    def entropy(size: int) -> bytes:
        drawn.append(source.octets(f"kem/{kem_id}/{pair}/encapsulate{len(drawn)}", size))
        return drawn[-1]

    ciphertext, secret = kem(kem_id, PURE).encapsulate(_pair(source, kem_id, pair).public_key, entropy)
    return b"".join(drawn), ciphertext, secret


def _whole(source: Source, kem_id: KemId, pair: int) -> Recipe:
    def make() -> Fields:
        randomness, ciphertext, secret = _encapsulation(source, kem_id, pair)
        return {
            "seed": _seed(source, kem_id, pair).hex(),
            "public_key": _pair(source, kem_id, pair).public_key.hex(),
            "randomness": randomness.hex(),
            "ciphertext": ciphertext.hex(),
            "secret": secret.hex(),
        }

    return Recipe(f"key pair {pair}", make)


def _bad_keys(source: Source, kem_id: KemId) -> Iterator[Recipe]:
    """REG-3, REG-4, REG-6."""
    lengths = ("without its last octet", lambda key: key[:-1]), ("with an octet more", lambda key: key + b"\0")
    rest = ("empty", lambda _: b""), ("half", lambda key: key[: len(key) // 2]), ("twice", lambda key: key + key)
    for comment, change in (*lengths, *rest):
        yield _bad_key(source, kem_id, comment, change, "REG-4", "Length")
    size = ML_KEM_KEY.get(kem_id, 0)
    for index in (0, 1, 255, 256, 511, 767) if size else ():
        for value in (Q, Q + 1, 4095):
            change = partial(_with_coefficient, index, value)
            yield _bad_key(source, kem_id, f"coefficient {index} is {value}", change, "REG-4", "Modulus")
    if "X25519" in kem_id.name:
        for position, point in enumerate(X25519_SMALL_ORDER):
            change = ending(point)
            yield _bad_key(source, kem_id, f"X25519 point of low order {position}", change, "REG-6", "LowOrder")
    if "X25519_" in kem_id.name:
        yield _bad_key(source, kem_id, "X25519 part first", _turned, "REG-4", "Order")


def _bad_key(source: Source, kem_id: KemId, comment: str, change: Any, rule: str, flag: str) -> Recipe:
    def make() -> Fields:
        key = change(_pair(source, kem_id, 0).public_key)
        for name in ("pure", "openssl"):
            _must_refuse(partial(kem(kem_id, provider(name)).encapsulate, key, source.entropy("unused")))
        return {"public_key": key.hex()}

    return Recipe(f"public key: {comment}", make, refusal(rule), (flag,))


def _odd_ciphertexts(source: Source, kem_id: KemId) -> Iterator[Recipe]:
    """Wrong ciphertexts of the right length: ML-KEM gives another secret without a word (FIPS 203 section 6.3)."""
    if kem_id not in ML_KEM_KEY:
        return
    for pair in range(2):
        for comment, change in (
            ("first bit changed", lambda c: bytes([c[0] ^ 0x01]) + c[1:]),
            ("octet 500 changed", lambda c: c[:500] + bytes([c[500] ^ 0x80]) + c[501:]),
            ("of zeros in its ML-KEM part", partial(_zeroed, kem_id)),
        ):
            yield Recipe(
                f"ciphertext of key pair {pair}: {comment}",
                partial(_decapsulated, source, kem_id, pair, change),
                flags=("ImplicitRejection",),
            )


def _bad_ciphertexts(source: Source, kem_id: KemId) -> Iterator[Recipe]:
    """REG-5, REG-6."""
    for comment, change in (
        ("without its last octet", lambda c: c[:-1]),
        ("with an octet more", lambda c: c + b"\0"),
        ("empty", lambda _: b""),
        ("half", lambda c: c[: len(c) // 2]),
    ):
        yield _bad_ciphertext(source, kem_id, comment, change, "REG-5", "Length")
    if "X25519" in kem_id.name:
        for position, point in enumerate(X25519_SMALL_ORDER):
            comment = f"X25519 point of low order {position}"
            yield _bad_ciphertext(source, kem_id, comment, ending(point), "REG-6", "LowOrder")


def _bad_ciphertext(source: Source, kem_id: KemId, comment: str, change: Any, rule: str, flag: str) -> Recipe:
    def make() -> Fields:
        _, ciphertext, _ = _encapsulation(source, kem_id, 0)
        broken = change(ciphertext)
        _must_refuse(partial(_pair(source, kem_id, 0).decapsulate, broken))
        return {"seed": _seed(source, kem_id, 0).hex(), "ciphertext": broken.hex()}

    return Recipe(f"ciphertext: {comment}", make, refusal(rule), (flag,))


def _decapsulated(source: Source, kem_id: KemId, pair: int, change: Any) -> Fields:
    _, ciphertext, _ = _encapsulation(source, kem_id, pair)
    ciphertext = change(ciphertext)
    secret = _pair(source, kem_id, pair).decapsulate(ciphertext)
    return {"seed": _seed(source, kem_id, pair).hex(), "ciphertext": ciphertext.hex(), "secret": secret.hex()}


def _with_coefficient(index: int, value: int, key: bytes) -> bytes:
    """An ML-KEM public key whose 12-bit coefficient number `index` is `value` (FIPS 203 section 4.2.1)."""
    start = index // 2 * 3
    pair = int.from_bytes(key[start : start + 3], "little")
    shift = 12 * (index % 2)
    pair = pair & ~(0xFFF << shift) | value << shift
    return key[:start] + pair.to_bytes(3, "little") + key[start + 3 :]


def _turned(octets: bytes) -> bytes:
    return octets[-X25519:] + octets[:-X25519]


def _zeroed(kem_id: KemId, ciphertext: bytes) -> bytes:
    kept = X25519 if "X25519" in kem_id.name else 0
    return bytes(len(ciphertext) - kept) + ciphertext[len(ciphertext) - kept :]


def _must_refuse(act: Any) -> None:
    try:
        act()
    except Invalid:
        return
    raise AssertionError("the reference accepts what the test calls invalid")


KIND = Kind(
    name="kem",
    purpose="Key encapsulation: the table kems, FIPS 203 and RFC 7748 (REG-3 to REG-6).",
    header=(
        "seed is d || z of ML-KEM (FIPS 203 algorithm 16), then the X25519 private key; randomness is m (algorithm",
        "17), then the ephemeral X25519 private key. In a hybrid everything is the ML-KEM part, then the X25519 part.",
    ),
    notes={
        "ImplicitRejection": "The ciphertext is of no encapsulation: ML-KEM yields another secret, and no error.",
        "Length": "The length is not the one of the table kems.",
        "LowOrder": "The X25519 secret would be all zero.",
        "Modulus": "A coefficient of the ML-KEM public key is not below 3329.",
        "Order": "The parts of a hybrid are in the wrong order.",
    },
    layouts={
        "Encapsulation": Layout(
            {"kem": TEXT}, {"seed?": HEX, "public_key": HEX, "randomness?": HEX, "ciphertext?": HEX, "secret?": HEX}
        ),
        "Decapsulation": Layout({"kem": TEXT}, {"seed": HEX, "ciphertext": HEX, "secret?": HEX}),
    },
    groups=groups,
)
