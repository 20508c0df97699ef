"""A socket's security lines: from its qzmq_ attributes to the configuration of the protocol core."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from time import time
from weakref import WeakValueDictionary

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from qzmq_ref import z85
from qzmq_ref.alerts import LocalError
from qzmq_ref.connection import Configuration
from qzmq_ref.crypto import provider
from qzmq_ref.crypto.signature import SEED, SigningKey
from qzmq_ref.handshake.x509 import Trust, read
from qzmq_ref.metadata import Property
from qzmq_ref.policy import Policy
from qzmq_ref.registries import SigId

KeyText = bytes | str
"""40 Z85 characters: a secret key is its algorithm's 32-octet seed, a public key its pin."""

PemText = bytes | str
"""One or more PEM certificates."""

MAKE_ONE = "`qzmq keygen` or qzmq_ref.keypair() makes one"


def keypair(policy: Policy | str = "default") -> tuple[bytes, bytes]:
    """A new (public, secret) key pair of the policy's signature algorithm, 40 Z85 characters each (POL-3)."""
    chosen = Policy.preset(policy) if isinstance(policy, str) else policy
    seed = os.urandom(SEED)
    return z85.encode(SigningKey.from_seed(chosen.signature, seed, provider()).pin), z85.encode(seed)


class SigningKeys:
    """Secret keys in use, expanded once however many sockets share one; the last socket takes it along (SEC-6)."""

    def __init__(self) -> None:
        self._keys: WeakValueDictionary[tuple[SigId, bytes], SigningKey] = WeakValueDictionary()

    def key(self, sig: SigId, seed: bytes) -> SigningKey:
        """As SigningKey.from_seed."""
        name = (sig, sha256(seed).digest())
        key = self._keys.get(name)
        if key is None:
            key = self._keys[name] = SigningKey.from_seed(sig, seed, provider())
        return key


@dataclass(frozen=True)
class Security:
    """What a socket's attributes say, as the application set them; the preset is `default` unless it did (POL-11)."""

    server: bool | None = None
    secretkey: KeyText | None = field(default=None, repr=False)
    publickey: KeyText | None = None
    serverkey: KeyText | Iterable[KeyText] | None = None
    clientkeys: Iterable[KeyText] | None = None
    policy: Policy | str = "default"
    certificate: PemText | None = None
    ca: PemText | None = None
    servername: str = ""
    keys: SigningKeys = field(default_factory=SigningKeys, repr=False, compare=False)

    def configuration(self, *, bind: bool, socket_type: bytes, metadata: tuple[Property, ...]) -> Configuration:
        """The configuration for one bind or connect; a policy is taken as it stands now (POL-14).

        Raises LocalError, saying what to set, if the peer could not be authenticated (CERT-6).
        """
        policy = Policy.preset(self.policy) if isinstance(self.policy, str) else self.policy
        chain = () if self.certificate is None else pem_certificates("qzmq_certificate", self.certificate)
        key = self._signing_key(policy.signature if not chain else read(chain[0]).key or policy.signature)
        if bind if self.server is None else self.server:
            if key is None:
                raise LocalError(f"CERT-6: this socket is a QZMQ server without a key: set qzmq_secretkey ({MAKE_ONE})")
            clients = None if self.clientkeys is None else pins("qzmq_clientkeys", self.clientkeys)
            own = Configuration("server", policy, key, frozenset(), clients, metadata, socket_type)
            return replace(own, chain=chain, trust=self._trust(""))
        if self.serverkey is None and self.ca is None:
            raise LocalError(
                "CERT-6: this socket is a QZMQ client without a pin: set qzmq_serverkey to its server's public key, "
                "or qzmq_ca and qzmq_servername"
            )
        servers = frozenset() if self.serverkey is None else pins("qzmq_serverkey", self.serverkey)
        trust = self._trust(self.servername)
        return Configuration("client", policy, key, servers, None, metadata, socket_type, chain=chain, trust=trust)

    def _trust(self, name: str) -> Trust | None:
        return None if self.ca is None else Trust(pem_certificates("qzmq_ca", self.ca), time, name)

    def _signing_key(self, signature: SigId) -> SigningKey | None:
        if self.secretkey is None:
            return None
        key = self.keys.key(signature, octets("qzmq_secretkey", self.secretkey))
        if self.publickey is not None and octets("qzmq_publickey", self.publickey) != key.pin:
            raise LocalError(
                f"qzmq_publickey does not belong to qzmq_secretkey under policy signature {signature.name}: "
                "set the pair that was made for this policy, or leave qzmq_publickey out"
            )
        return key


def pem_certificates(name: str, pem: PemText) -> tuple[bytes, ...]:
    """The DER certificates in PEM text; LocalError, naming where the text is from, if there is none."""
    try:
        found = x509.load_pem_x509_certificates(pem.encode() if isinstance(pem, str) else pem)
    except ValueError:
        raise LocalError(f"{name} holds no PEM certificate: `qzmq keygen --ca` and `--cert` make some") from None
    return tuple(certificate.public_bytes(Encoding.DER) for certificate in found)


def pins(name: str, keys: KeyText | Iterable[KeyText]) -> frozenset[bytes]:
    """The pins of one public key, or of several."""
    return frozenset(octets(name, key) for key in ((keys,) if isinstance(keys, bytes | str) else keys))


def octets(name: str, key: KeyText) -> bytes:
    """The 32 octets of a key in Z85; LocalError names the attribute, never the key."""
    text = key.encode() if isinstance(key, str) else key
    try:
        if len(text) == 40:
            return z85.decode(text)
    except ValueError:
        pass
    raise LocalError(f"{name} is not a key: set its 40 Z85 characters ({MAKE_ONE})")
