"""Kind `signature`: both sides' signatures of every algorithm, hedged with randomness that the test names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial

from qzmq_conformance.vectors.shape import HEX, TEXT, Fields, Group, Kind, Layout, Recipe, Source, one_of, refusal
from qzmq_ref.crypto import Invalid, provider
from qzmq_ref.crypto.signature import SigningKey, public_key
from qzmq_ref.handshake.client import CLIENT_CONTEXT, SERVER_CONTEXT
from qzmq_ref.registries import SigId

CONTEXTS = {"server": (SERVER_CONTEXT, "HS-6"), "client": (CLIENT_CONTEXT, "HS-13")}
SAMPLES = {SigId.ED25519: 30}
HASH_LENGTHS = (32, 48, 64)
PURE = provider("pure")
Change = Callable[[bytes], bytes]


def groups(source: Source) -> Iterator[Group]:
    """A key for each algorithm and signer."""
    for sig in SigId:
        for signer in CONTEXTS:
            recipes = (*_valid(source, sig, signer), *_broken(source, sig, signer))
            yield Group("Signature", partial(_fields, source, sig, signer), recipes)


@cache
def _key(source: Source, sig: SigId, signer: str) -> SigningKey:
    return SigningKey.from_seed(sig, source.octets(f"signature/{sig}/{signer}", 32), PURE)


def _fields(source: Source, sig: SigId, signer: str) -> Fields:
    return {
        "signer": signer,
        "sig": sig.name.lower(),
        "seed": source.octets(f"signature/{sig}/{signer}", 32).hex(),
        "spki": _key(source, sig, signer).spki.hex(),
    }


@cache
def _signed(source: Source, sig: SigId, signer: str, sample: int, context: str) -> tuple[bytes, bytes, bytes]:
    """The digest, the randomness and the signature."""
    name = f"signature/{sig}/{signer}/{sample}"
    digest = source.octets(f"{name}/digest", HASH_LENGTHS[sample % 3])
    randomness = source.octets(f"{name}/randomness", 32)
    prefix, _ = CONTEXTS[context]
    signature = _key(source, sig, signer).sign(prefix + digest, lambda _: randomness)
    return digest, randomness, signature


def _valid(source: Source, sig: SigId, signer: str) -> Iterator[Recipe]:
    for sample in range(SAMPLES.get(sig, 9)):
        yield Recipe(f"digest {sample}", partial(_test, source, sig, signer, sample))


def _test(source: Source, sig: SigId, signer: str, sample: int) -> Fields:
    digest, randomness, signature = _signed(source, sig, signer, sample, signer)
    drawn = {} if sig is SigId.ED25519 else {"randomness": randomness.hex()}
    return {"digest": digest.hex(), **drawn, "signature": signature.hex()}


def _broken(source: Source, sig: SigId, signer: str) -> Iterator[Recipe]:
    other = "client" if signer == "server" else "server"
    changes: dict[str, tuple[Change, str]] = {
        "without its last octet": (lambda s: s[:-1], "Length"),
        "with an octet more": (lambda s: s + b"\0", "Length"),
        "empty": (lambda _: b"", "Length"),
        "of zeros": (lambda s: bytes(len(s)), "Signature"),
    }
    positions = (0, 1, 31, 32, 63) if sig is SigId.ED25519 else (0, 32, 700, 2000, -1)
    changes |= {f"octet {at} changed": (partial(_flip, at), "Signature") for at in positions}
    for comment, (change, flag) in changes.items():
        yield _refused(source, sig, signer, f"signature {comment}", (flag,), signature=change)
    for at in (0, 15, 31):
        comment = f"of a digest with another octet {at}"
        yield _refused(source, sig, signer, comment, ("Digest",), digest=partial(_flip, at))
    yield _refused(source, sig, signer, f"under the context of a {other}", ("Context",), context=other)
    yield _refused(source, sig, signer, "of a cut digest", ("Digest",), digest=lambda digest: digest[:-1])


def _same(octets: bytes) -> bytes:
    return octets


def _refused(
    source: Source,
    sig: SigId,
    signer: str,
    comment: str,
    flags: tuple[str, ...],
    *,
    signature: Change = _same,
    digest: Change = _same,
    context: str = "",
) -> Recipe:
    prefix, rule = CONTEXTS[signer]

    def make() -> Fields:
        said, _, signed = _signed(source, sig, signer, 0, context or signer)
        said, signed = digest(said), signature(signed)
        for name in ("pure", "openssl"):
            key = public_key(_key(source, sig, signer).spki, provider(name))
            try:
                key.verify(signed, prefix + said)
            except Invalid:
                continue
            raise AssertionError("the reference accepts what the test calls invalid")
        return {"digest": said.hex(), "signature": signed.hex()}

    return Recipe(comment, make, refusal(rule), flags)


def _flip(position: int, octets: bytes) -> bytes:
    changed = bytearray(octets)
    changed[position] ^= 0x01
    return bytes(changed)


KIND = Kind(
    name="signature",
    purpose="Signatures: RFC 8032 and FIPS 204, pure, with empty context, hedged (HS-6, HS-13, CERT-5).",
    header=(
        'What is signed is "QZMQ-v1 server signature" or "QZMQ-v1 client signature", an octet 0, and digest.',
        "seed is the RFC 8032 private key or xi of FIPS 204 algorithm 6; randomness is rnd of its algorithm 2.",
    ),
    notes={
        "Context": "The other side's context string was signed (CERT-5).",
        "Digest": "Another digest was signed.",
        "Length": "The signature does not have the length of its algorithm.",
        "Signature": "Octets of the signature are changed.",
    },
    layouts={
        "Signature": Layout(
            {"signer": one_of("server", "client"), "sig": TEXT, "seed": HEX, "spki": HEX},
            {"digest": HEX, "randomness?": HEX, "signature": HEX},
        )
    },
    groups=groups,
)
