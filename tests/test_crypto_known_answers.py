"""Known answers of the `cryptography_vectors` package, through this package's own interfaces.

Every file there that bears on an algorithm of QZMQ/1 is used, with these exceptions: SHA-2 Monte Carlo,
GCM with other key, nonce or tag sizes than QZMQ's, and ML-DSA keys without a seed. The `pure` provider takes
milliseconds per operation, so it runs a sample of the ML-KEM and ML-DSA answers, chosen by a seed that is
printed; QZMQ_KNOWN_ANSWERS=all runs them all. The package has no Wycheproof; edge cases are in the other
`test_crypto_*` files.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import cryptography_vectors
import pytest

from qzmq_ref.crypto import Entropy, Invalid, provider
from qzmq_ref.crypto.aead import TAG, Aead
from qzmq_ref.crypto.hash import HashFunction
from qzmq_ref.crypto.kem import kem
from qzmq_ref.crypto.signature import SigningKey, public_key
from qzmq_ref.registries import AeadId, HashId, KemId, SigId

VECTORS = Path(cryptography_vectors.__file__).parent
HASHES = {HashId.SHA_256: "256", HashId.SHA_384: "384", HashId.SHA_512: "512"}

Record = dict[str, str]

openssl_and_pure = pytest.mark.parametrize("provider_name", ["openssl", "pure"])


def records(path: str, first: str = "count") -> Iterator[Record]:
    """The `Name = value` records of a NIST response file, names in lower case, with their [section]."""
    section: Record = {}
    record: Record = {}
    for line in (VECTORS / path).read_text().splitlines():
        name, equals, value = (part.strip() for part in line.strip("[]").partition("="))
        if line.startswith("#") or not name:
            continue
        if line.startswith("["):
            section = {**section, name.lower(): value}
            continue
        if name.lower() == first and first in record:
            yield record
            record = {}
        record = {**section, **record, name.lower(): value if equals else "yes"}
    yield record


def sample(all_records: Iterator[Record], provider_name: str, size: int) -> Sequence[Record]:
    """All records, or for `pure` some of them, other ones in every run."""
    chosen = list(all_records)
    if provider_name == "pure" and os.environ.get("QZMQ_KNOWN_ANSWERS") != "all":
        seed = int(os.environ.get("QZMQ_KNOWN_ANSWERS_SEED") or random.randrange(2**32))
        print(f"{size} of {len(chosen)} answers, QZMQ_KNOWN_ANSWERS_SEED={seed}")
        chosen = random.Random(seed).sample(chosen, size)
    assert chosen
    return chosen


def octets(record: Record, name: str) -> bytes:
    """A field in hexadecimal, or quoted text."""
    text = record[name]
    return text.strip('"').encode() if text.startswith('"') else bytes.fromhex(text)


def giving(value: bytes) -> Entropy:
    """A source that has these octets, all at once."""

    def entropy(size: int) -> bytes:
        assert size == len(value)
        return value

    return entropy


@pytest.mark.timeout(180)
@openssl_and_pure
@pytest.mark.parametrize(("kem_id", "size"), [(KemId.ML_KEM_768, 768), (KemId.ML_KEM_1024, 1024)])
def test_ml_kem(provider_name: str, kem_id: KemId, size: int) -> None:
    """FIPS 203: key from d || z, decapsulation, implicit rejection; encapsulation where m can be given."""
    algorithm = kem(kem_id, provider(provider_name))
    for record in sample(records(f"asymmetric/MLKEM/kat_MLKEM_{size}.rsp"), provider_name, 40):
        key = algorithm.generate(giving(octets(record, "d") + octets(record, "z")))
        assert key.public_key == octets(record, "pk")
        assert key.decapsulate(octets(record, "ct")) == octets(record, "ss")
        assert key.decapsulate(octets(record, "ct_n")) == octets(record, "ss_n")
        ciphertext, secret = algorithm.encapsulate(key.public_key, giving(octets(record, "msg")))
        if provider_name == "pure":
            assert (ciphertext, secret) == (octets(record, "ct"), octets(record, "ss"))
        else:
            assert key.decapsulate(ciphertext) == secret


@pytest.mark.timeout(180)
@openssl_and_pure
@pytest.mark.parametrize("sig", [SigId.ML_DSA_44, SigId.ML_DSA_65, SigId.ML_DSA_87])
def test_ml_dsa(provider_name: str, sig: SigId) -> None:
    """FIPS 204: key from xi, verification; signing where its rnd can be given. The answers have contexts."""
    chosen = provider(provider_name)
    path = f"asymmetric/MLDSA/kat_{sig.name.replace('_', '', 1)}_det_pure.rsp"
    for record in sample(records(path), provider_name, 10):
        message, context = octets(record, "msg"), octets(record, "ctx")
        signature = octets(record, "sm").removesuffix(message)
        key = chosen.ml_dsa_key(sig, octets(record, "xi"))
        assert key.public_key == octets(record, "pk")
        chosen.ml_dsa_verify(sig, key.public_key, signature, message, context)
        with pytest.raises(Invalid):
            chosen.ml_dsa_verify(sig, key.public_key, signature, message)
        if provider_name == "pure":
            assert key.sign(message, bytes, context) == signature  # deterministic: rnd is zero


@openssl_and_pure
def test_ml_dsa_spki(provider_name: str) -> None:
    """RFC 9881's SubjectPublicKeyInfo of a seed; the PKCS #8 file ends in it."""
    seed = (VECTORS / "asymmetric/MLDSA/mldsa44_priv.der").read_bytes()[-32:]
    spki = (VECTORS / "asymmetric/MLDSA/mldsa44_pub.der").read_bytes()
    assert SigningKey.from_seed(SigId.ML_DSA_44, seed, provider(provider_name)).spki == spki
    assert public_key(spki, provider(provider_name)).sig is SigId.ML_DSA_44


def test_ed25519_spki() -> None:
    directory = VECTORS / "asymmetric/Ed25519"
    seed = (directory / "ed25519-pkcs8.der").read_bytes()[-32:]
    spki = (directory / "ed25519-pub.der").read_bytes()
    assert SigningKey.from_seed(SigId.ED25519, seed, provider()).spki == spki
    with pytest.raises(Invalid):
        public_key((directory / "ed25519-pub-non-zero-unused-bits.der").read_bytes(), provider())


def test_ed25519() -> None:
    """The answers of Ed25519's authors."""
    for line in (VECTORS / "asymmetric/Ed25519/sign.input").read_text().splitlines():
        secret, public, message, signed = (bytes.fromhex(field) for field in line.split(":")[:4])
        key = SigningKey.from_seed(SigId.ED25519, secret[:32], provider())
        assert key.spki.endswith(public)
        assert key.sign(message, bytes) + message == signed
        public_key(key.spki, provider()).verify(signed.removesuffix(message), message)


def test_x25519() -> None:
    """RFC 7748 section 5.2."""
    for record in records("asymmetric/X25519/rfc7748.txt"):
        key = kem(KemId.X25519, provider()).generate(giving(octets(record, "input_scalar")))
        assert key.decapsulate(octets(record, "input_u")) == octets(record, "output_u")


@pytest.mark.parametrize("path", ["gcmEncryptExtIV256.rsp", "gcmDecrypt256.rsp"])
def test_aes_gcm(path: str) -> None:
    """NIST's GCM answers with QZMQ's sizes, those with a forged tag included."""
    ours = {"keylen": "256", "ivlen": "96", "taglen": "128"}.items()
    chosen = [record for record in records(f"ciphers/AES/GCM/{path}") if ours <= record.items()]
    assert len(chosen) > 300
    for record in chosen:
        _check_aead(AeadId.AES_256_GCM, record, "ct", "pt", "aad", "iv", "tag")


def test_chacha20_poly1305() -> None:
    for record in records("ciphers/ChaCha20Poly1305/openssl.txt"):
        _check_aead(AeadId.CHACHA20_POLY1305, record, "ciphertext", "plaintext", "aad", "iv", "tag")


def test_chacha20_poly1305_of_boringssl() -> None:
    for record in records("ciphers/ChaCha20Poly1305/boringssl.txt"):
        _check_aead(AeadId.CHACHA20_POLY1305, record, "ct", "in", "ad", "nonce", "tag")


def _check_aead(aead: AeadId, record: Record, sealed: str, plain: str, aad: str, nonce: str, tag: str) -> None:
    cipher = Aead(aead, octets(record, "key"))
    ciphertext = octets(record, sealed) + octets(record, tag)
    assert len(octets(record, tag)) == TAG
    if "fail" in record or "result" in record:  # NIST's word for a forgery, and OpenSSL's
        with pytest.raises(Invalid):
            cipher.open(octets(record, nonce), ciphertext, octets(record, aad))
        return
    assert cipher.open(octets(record, nonce), ciphertext, octets(record, aad)) == octets(record, plain)
    assert cipher.seal(octets(record, nonce), octets(record, plain), octets(record, aad)) == ciphertext


@pytest.mark.parametrize("path", ["rfc-5869-HKDF-SHA256.txt", "hkdf-generated.txt"])
def test_hkdf(path: str) -> None:
    """RFC 5869 appendix A, and a long output."""
    function = HashFunction(HashId.SHA_256)
    for record in records(f"KDF/{path}"):
        prk = function.extract(octets(record, "salt"), octets(record, "ikm"))
        assert prk.hex() == record.get("prk", prk.hex())
        assert function.expand(prk, octets(record, "info"), int(record["l"])).hex() == record["okm"]


@pytest.mark.parametrize("hash_id", HASHES)
def test_hmac(hash_id: HashId) -> None:
    """RFC 4231, without its truncated fifth answer, which the file leaves out."""
    for record in records(f"HMAC/rfc-4231-sha{HASHES[hash_id]}.txt", "len"):
        tag = HashFunction(hash_id).hmac(octets(record, "key"), octets(record, "msg"))
        assert tag.hex() == record["md"]


@pytest.mark.parametrize("length", ["Short", "Long"])
@pytest.mark.parametrize("hash_id", HASHES)
def test_sha_2(hash_id: HashId, length: str) -> None:
    for record in records(f"hashes/SHA2/SHA{HASHES[hash_id]}{length}Msg.rsp", "len"):
        message = octets(record, "msg")[: int(record["len"]) // 8]
        assert HashFunction(hash_id).digest(message) == octets(record, "md")
