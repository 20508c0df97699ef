"""The KEMs: both providers agree with each other, and refuse alike."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qzmq_ref.crypto import Entropy, Invalid, Provider, provider
from qzmq_ref.crypto.kem import kem
from qzmq_ref.registries import KemId
from qzmq_ref.spec.tables import tables

PROVIDERS = [provider("openssl"), provider("pure")]
ML_KEMS = [KemId.ML_KEM_768, KemId.ML_KEM_1024]
HYBRIDS = {KemId.X25519_ML_KEM_768: KemId.ML_KEM_768, KemId.X25519_ML_KEM_1024: KemId.ML_KEM_1024}
WITH_X25519 = [KemId.X25519, *HYBRIDS]
Q = 3329
P = 2**255 - 19
LOW_ORDER = [
    0,
    1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
    P - 1,
    P,
    P + 1,
]

every_provider = pytest.mark.parametrize("chosen", PROVIDERS, ids=lambda chosen: chosen.name)
every_kem = pytest.mark.parametrize("kem_id", KemId)
every_ml_kem = pytest.mark.parametrize("kem_id", ML_KEMS)
seeds = st.integers(0, 2**64)


def entropy(seed: int) -> Entropy:
    return random.Random(seed).randbytes


@every_kem
def test_sizes_are_the_specifications(kem_id: KemId) -> None:
    row = next(row for row in tables()["kems"] if row["KemId"] == kem_id.name.lower())
    algorithm = kem(kem_id, PROVIDERS[0])
    key = algorithm.generate(entropy(0))
    ciphertext, secret = algorithm.encapsulate(key.public_key, entropy(1))
    assert [len(key.public_key), len(ciphertext), len(secret)] == [
        int(row[column]) for column in ("Public key", "Ciphertext", "Secret")
    ]
    assert (algorithm.public_key_size, algorithm.ciphertext_size) == (len(key.public_key), len(ciphertext))


@pytest.mark.parametrize("generating", PROVIDERS, ids=lambda chosen: chosen.name)
@pytest.mark.parametrize("encapsulating", PROVIDERS, ids=lambda chosen: chosen.name)
@every_kem
@settings(max_examples=5, deadline=None)
@given(seed=seeds)
def test_providers_interoperate(
    kem_id: KemId, encapsulating: Provider, generating: Provider, seed: int
) -> None:
    key = kem(kem_id, generating).generate(entropy(seed))
    ciphertext, secret = kem(kem_id, encapsulating).encapsulate(key.public_key, entropy(seed + 1))
    assert key.decapsulate(ciphertext) == secret


@every_kem
@settings(max_examples=5, deadline=None)
@given(seed=seeds)
def test_keys_follow_from_entropy_in_both_providers(kem_id: KemId, seed: int) -> None:
    first, second = (kem(kem_id, chosen).generate(entropy(seed)) for chosen in PROVIDERS)
    assert first.public_key == second.public_key


@every_kem
@settings(max_examples=5, deadline=None)
@given(seed=seeds)
def test_everything_follows_from_entropy_in_pure(kem_id: KemId, seed: int) -> None:
    algorithm = kem(kem_id, provider("pure"))
    public_key = algorithm.generate(entropy(seed)).public_key
    answers = [algorithm.encapsulate(public_key, entropy(other)) for other in (seed, seed, seed + 1)]
    assert answers[0] == answers[1] != answers[2]


@every_ml_kem
@settings(max_examples=10, deadline=None)
@given(seed=seeds, data=st.data())
def test_implicit_rejection_is_the_same_in_both_providers(
    kem_id: KemId, seed: int, data: st.DataObject
) -> None:
    """FIPS 203 algorithm 18 steps 7 to 10: a forged ciphertext gives another secret, not an error."""
    algorithm = kem(kem_id, PROVIDERS[0])
    ciphertext, secret = algorithm.encapsulate(algorithm.generate(entropy(seed)).public_key, entropy(seed))
    bit = data.draw(st.integers(0, 8 * len(ciphertext) - 1))
    forged = flip(ciphertext, bit)
    first, second = (kem(kem_id, chosen).generate(entropy(seed)).decapsulate(forged) for chosen in PROVIDERS)
    assert first == second != secret


@every_provider
@pytest.mark.parametrize("kem_id", [*ML_KEMS, *HYBRIDS])
@settings(max_examples=15, deadline=None)
@given(value=st.integers(Q, 2**12 - 1), data=st.data())
def test_a_coefficient_out_of_range_is_refused(
    kem_id: KemId, chosen: Provider, value: int, data: st.DataObject
) -> None:
    """The modulus check of FIPS 203 section 7.2 (REG-4)."""
    algorithm = kem(kem_id, chosen)
    public_key = algorithm.generate(entropy(3)).public_key
    count = 256 * (3 if kem_id in (KemId.ML_KEM_768, KemId.X25519_ML_KEM_768) else 4)
    position = 12 * data.draw(st.integers(0, count - 1))
    number = int.from_bytes(public_key, "little")
    number += (value - (number >> position & 0xFFF)) << position
    with pytest.raises(Invalid):
        algorithm.encapsulate(number.to_bytes(len(public_key), "little"), entropy(4))


@every_provider
@every_kem
@pytest.mark.parametrize("change", [-32, -1, 1, 32])
def test_wrong_lengths_are_refused(kem_id: KemId, chosen: Provider, change: int) -> None:
    """REG-4, REG-5."""
    algorithm = kem(kem_id, chosen)
    key = algorithm.generate(entropy(5))
    with pytest.raises(Invalid):
        algorithm.encapsulate(resized(key.public_key, change), entropy(6))
    with pytest.raises(Invalid):
        key.decapsulate(resized(bytes(algorithm.ciphertext_size), change))


@pytest.mark.parametrize("point", LOW_ORDER, ids=hex)
@pytest.mark.parametrize("kem_id", WITH_X25519)
def test_an_all_zero_x25519_secret_is_refused(kem_id: KemId, point: int) -> None:
    """REG-6, for every point of low order and each of its encodings, on both sides."""
    algorithm = kem(kem_id, PROVIDERS[0])
    key = algorithm.generate(entropy(7))
    low_order = point.to_bytes(32, "little")
    ciphertext, _ = algorithm.encapsulate(key.public_key, entropy(8))
    with pytest.raises(Invalid, match="all zero") as refused:
        algorithm.encapsulate(key.public_key[:-32] + low_order, entropy(8))
    assert refused.value.requirement == "REG-6"
    with pytest.raises(Invalid, match="all zero") as refused:
        key.decapsulate(ciphertext[:-32] + low_order)
    assert refused.value.requirement == "REG-6"


@pytest.mark.parametrize("kem_id", HYBRIDS)
def test_a_hybrid_is_ml_kem_then_x25519(kem_id: KemId) -> None:
    """REG-3, with entropy drawn in the same order."""
    chosen = provider("pure")
    parts = [kem(HYBRIDS[kem_id], chosen), kem(KemId.X25519, chosen)]
    source, same_source = entropy(9), entropy(9)
    key = kem(kem_id, chosen).generate(source)
    part_keys = [part.generate(same_source) for part in parts]
    assert key.public_key == b"".join(part_key.public_key for part_key in part_keys)
    whole = kem(kem_id, chosen).encapsulate(key.public_key, source)
    encapsulated = [
        part.encapsulate(part_key.public_key, same_source)
        for part, part_key in zip(parts, part_keys, strict=True)
    ]
    assert whole == tuple(map(b"".join, zip(*encapsulated, strict=True)))


@every_provider
@every_kem
def test_repr_tells_no_secret(kem_id: KemId, chosen: Provider) -> None:
    drawn: list[bytes] = []

    def recording(size: int) -> bytes:
        drawn.append(bytes([0xA7]) * size)
        return drawn[-1]

    key = kem(kem_id, chosen).generate(recording)
    assert drawn
    assert "a7a7" not in repr(key)
    assert repr(b"\xa7\xa7")[2:-1] not in repr(key)


def flip(octets: bytes, bit: int) -> bytes:
    number = int.from_bytes(octets, "big") ^ 1 << bit
    return number.to_bytes(len(octets), "big")


def resized(octets: bytes, change: int) -> bytes:
    return octets + bytes(change) if change > 0 else octets[:change]
