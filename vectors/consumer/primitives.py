"""KEMs, signatures, hashes and AEADs (registries.md), and their vectors."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from copy import copy
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa, mlkem
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from dilithium_py.ml_dsa import ML_DSA_44, ML_DSA_65, ML_DSA_87
from kyber_py.ml_kem import ML_KEM_768, ML_KEM_1024

from .structures import vector
from .verdict import Json, Refused, refuse, same


class Hash:
    """One hash, with HMAC and HKDF over it."""

    def __init__(self, name: str) -> None:
        self.name = name.replace("_", "")
        self.length = int(name[4:]) // 8
        self.zeros = bytes(self.length)

    def __call__(self, octets: bytes) -> bytes:
        digest = hashes.Hash(self._algorithm)
        digest.update(octets)
        return digest.finalize()

    @property
    def _algorithm(self) -> hashes.HashAlgorithm:
        known: Mapping[str, hashes.HashAlgorithm]
        known = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
        return known[self.name]

    def mac(self, key: bytes, octets: bytes) -> bytes:
        return hmac.digest(key, octets, self.name)

    extract = mac

    def label(self, length: int, label: str, context: bytes) -> bytes:
        return length.to_bytes(2) + vector(b"qzmq1 " + label.encode(), 1) + vector(context, 1)

    def expand(self, secret: bytes, label: str, context: bytes = b"", length: int = 0) -> bytes:
        """Expand-Label (KS-1); Hash.length octets unless another number is given."""
        length = length or self.length
        return HKDFExpand(self._algorithm, length, self.label(length, label, context)).derive(secret)

    def finished(self, secret: bytes, transcript: bytes) -> bytes:
        return self.mac(self.expand(secret, "finished"), self(transcript))

    def key(self, secret: bytes) -> bytes:
        return self.expand(secret, "key", length=32)

    def iv(self, secret: bytes) -> bytes:
        return self.expand(secret, "iv", length=12)


ML_KEM: Mapping[str, tuple[Any, Any, Any, int, int]] = {
    "768": (mlkem.MLKEM768PrivateKey, mlkem.MLKEM768PublicKey, ML_KEM_768, 1184, 1088),
    "1024": (mlkem.MLKEM1024PrivateKey, mlkem.MLKEM1024PublicKey, ML_KEM_1024, 1568, 1568),
}


class Kem:
    """A row of the table `kems`: an ML-KEM part, an X25519 part, or both in this order."""

    def __init__(self, name: str) -> None:
        parameter = name.rpartition("_")[2] if "ml_kem" in name else ""
        self.ml = ML_KEM.get(parameter)
        self.x = "x25519" in name

    def _split(self, octets: bytes, position: int, rule: str) -> tuple[bytes, bytes]:
        size = self.ml[position] if self.ml else 0
        if len(octets) != size + 32 * self.x:
            refuse(rule)
        return octets[:size], octets[size:]

    def public_key(self, seed: bytes) -> bytes:
        made = self.ml[0].from_seed_bytes(seed[:64]).public_key().public_bytes_raw() if self.ml else b""
        own = X25519PrivateKey.from_private_bytes(seed[-32:]).public_key().public_bytes_raw() if self.x else b""
        return bytes(made + own)

    def check(self, public_key: bytes) -> None:
        """REG-4, REG-6."""
        ours, theirs = self._split(public_key, 3, "REG-4")
        if self.ml:
            try:
                self.ml[1].from_public_bytes(ours)
            except ValueError:
                refuse("REG-4")
        if self.x:
            self._exchange(bytes(range(32)), theirs)

    def encapsulate(self, public_key: bytes, randomness: bytes) -> tuple[bytes, bytes]:
        """Ciphertext and secret; kyber-py, because OpenSSL draws its own randomness."""
        self.check(public_key)
        ours, theirs = self._split(public_key, 3, "REG-4")
        ciphertext = secret = b""
        if self.ml:
            drawing = copy(self.ml[2])
            drawing.random_bytes = lambda _: randomness[:32]
            secret, ciphertext = drawing.encaps(ours)
        if self.x:
            own = randomness[-32:]
            ciphertext += X25519PrivateKey.from_private_bytes(own).public_key().public_bytes_raw()
            secret += self._exchange(own, theirs)
        return ciphertext, secret

    def decapsulate(self, seed: bytes, ciphertext: bytes) -> bytes:
        """REG-5, REG-6."""
        ours, theirs = self._split(ciphertext, 4, "REG-5")
        secret = self.ml[0].from_seed_bytes(seed[:64]).decapsulate(ours) if self.ml else b""
        return bytes(secret) + (self._exchange(seed[-32:], theirs) if self.x else b"")

    @staticmethod
    def _exchange(own: bytes, theirs: bytes) -> bytes:
        try:
            return X25519PrivateKey.from_private_bytes(own).exchange(X25519PublicKey.from_public_bytes(theirs))
        except ValueError:
            refuse("REG-6")


PREFIXES = {
    "ed25519": "302a300506032b6570032100",
    "ml_dsa_44": "30820532300b06096086480165030403110382052100",
    "ml_dsa_65": "308207b2300b0609608648016503040312038207a100",
    "ml_dsa_87": "30820a32300b060960864801650304031303820a2100",
}
"""What a SubjectPublicKeyInfo begins with (RFC 8410, RFC 9881)."""
KEY_SIZES = {"ed25519": 32, "ml_dsa_44": 1312, "ml_dsa_65": 1952, "ml_dsa_87": 2592}
SIGNATURES: Mapping[str, tuple[Any, Any, Any]] = {
    "ed25519": (ed25519.Ed25519PrivateKey.from_private_bytes, ed25519.Ed25519PublicKey, None),
    "ml_dsa_44": (mldsa.MLDSA44PrivateKey.from_seed_bytes, mldsa.MLDSA44PublicKey, ML_DSA_44),
    "ml_dsa_65": (mldsa.MLDSA65PrivateKey.from_seed_bytes, mldsa.MLDSA65PublicKey, ML_DSA_65),
    "ml_dsa_87": (mldsa.MLDSA87PrivateKey.from_seed_bytes, mldsa.MLDSA87PublicKey, ML_DSA_87),
}
SIG_IDS = tuple(SIGNATURES)


@cache
def spki_of(sig: str, seed: bytes) -> bytes:
    """The SubjectPublicKeyInfo that follows from a secret key."""
    return bytes.fromhex(PREFIXES[sig]) + bytes(SIGNATURES[sig][0](seed).public_key().public_bytes_raw())


def algorithm_of(spki: bytes, rule: str) -> str:
    """The algorithm of a key that is exactly one SubjectPublicKeyInfo."""
    for sig, prefix in PREFIXES.items():
        if spki.startswith(bytes.fromhex(prefix)) and len(spki) == len(prefix) // 2 + KEY_SIZES[sig]:
            return sig
    raise Refused(rule)


def verified(spki: bytes, signature: bytes, message: bytes) -> bool:
    sig = algorithm_of(spki, "CERT-2")
    try:
        SIGNATURES[sig][1].from_public_bytes(spki[len(PREFIXES[sig]) // 2 :]).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def hedged(sig: str, seed: bytes, message: bytes, randomness: bytes) -> bytes:
    """A signature from stated randomness; dilithium-py, because OpenSSL draws its own."""
    if sig == "ed25519":
        return bytes(SIGNATURES[sig][0](seed).sign(message))
    drawing = copy(SIGNATURES[sig][2])
    drawing.random_bytes = lambda _: randomness
    return bytes(drawing.sign(drawing.key_derive(seed)[1], message))


def aead(name: str, key: bytes) -> Any:
    return {"aes_256_gcm": AESGCM, "chacha20_poly1305": ChaCha20Poly1305}[name](key)


def xor(iv: bytes, stream: int, seq: int) -> bytes:
    return (int.from_bytes(iv) ^ (stream << 64 | seq)).to_bytes(12)


def check_encapsulation(group: Json, test: Json) -> None:
    kem, public_key = Kem(group["kem"]), bytes.fromhex(test["public_key"])
    kem.check(public_key)
    seed = bytes.fromhex(test["seed"])
    same("public_key", kem.public_key(seed), test["public_key"])
    ciphertext, secret = kem.encapsulate(public_key, bytes.fromhex(test["randomness"]))
    same("ciphertext", ciphertext, test["ciphertext"])
    same("secret", secret, test["secret"])
    same("secret decapsulated", kem.decapsulate(seed, ciphertext), test["secret"])


def check_decapsulation(group: Json, test: Json) -> None:
    secret = Kem(group["kem"]).decapsulate(bytes.fromhex(test["seed"]), bytes.fromhex(test["ciphertext"]))
    same("secret", secret, test["secret"])


CONTEXTS = {
    "server": (b"QZMQ-v1 server signature\0", "HS-6"),
    "client": (b"QZMQ-v1 client signature\0", "HS-13"),
}


def check_signature(group: Json, test: Json) -> None:
    context, rule = CONTEXTS[group["signer"]]
    seed, digest = bytes.fromhex(group["seed"]), bytes.fromhex(test["digest"])
    same("spki", spki_of(group["sig"], seed), group["spki"])
    if not verified(bytes.fromhex(group["spki"]), bytes.fromhex(test["signature"]), context + digest):
        refuse(rule)
    randomness = bytes.fromhex(test.get("randomness", ""))
    same("signature", hedged(group["sig"], seed, context + digest, randomness), test["signature"])
