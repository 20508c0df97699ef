"""A whole handshake, replayed octet by octet for both sides (handshake.md, resumption.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidTag

from .primitives import CONTEXTS, SIG_IDS, Hash, Kem, aead, algorithm_of, hedged, spki_of, verified
from .records import DATA, EARLY, FINISHED, SEALED, Receiver
from .schedule import handshake_values, same_values
from .structures import TYPES, parse, vector
from .verdict import Json, refuse, same

HELLO, ANSWER, KEY = 0x01, 0x02, 0x03
PRE_SHARED_KEY, EARLY_DATA, COOKIE, AUTH_REQUEST = 0x0029, 0x002A, 0x002C, 0xFF02
LISTED: Mapping[str, Mapping[int, str]] = {
    "ClientHello": {COOKIE: "PuzzleSolution", PRE_SHARED_KEY: "PreSharedKey", EARLY_DATA: "Empty"},
    "ServerHello": {AUTH_REQUEST: "ClientAuthRequest", PRE_SHARED_KEY: "Empty", EARLY_DATA: "EarlyDataAnswer"},
}
CODES = {
    "kem": ("x25519", "ml_kem_768", "ml_kem_1024", "x25519_ml_kem_768", "x25519_ml_kem_1024"),
    "sig": SIG_IDS,
    "aead": ("aes_256_gcm", "chacha20_poly1305"),
    "hash": ("sha_256", "sha_384", "sha_512"),
}
SOCKETS = {"client": b"DEALER", "server": b"ROUTER"}
SAID = {"client": b"\0\5hello", "server": b"\0\5world"}


def extensions_of(name: str, hello: Json) -> dict[int, Json]:
    """REG-7 to REG-10."""
    found: dict[int, Json] = {}
    seen: set[int] = set()
    for each in hello["extensions"]:
        kind = each["extension_type"]
        if kind in seen:
            refuse("REG-7")
        seen.add(kind)
        if kind in LISTED[name]:
            found[kind] = parse(LISTED[name][kind], each["extension_data"], "REG-10")
        elif name == "ServerHello":
            refuse("REG-9")
    return found


def check_metadata(binding: str, sender: str, octets: bytes) -> None:
    """PAT-1 to PAT-8, of a DEALER and a ROUTER."""
    if binding == "raw":
        return refuse("PAT-8") if octets else None
    if len(octets) > 8192:
        refuse("PAT-3")
    properties = parse("Metadata", octets, "PAT-3")["properties"]
    names = [each["name"].lower() for each in properties]
    if len(set(names)) != len(names) or not all(re.fullmatch(rb"[a-z0-9\-_.+]+", name) for name in names):
        refuse("PAT-4")
    told = dict(zip(names, (each["value"] for each in properties), strict=True))
    legal = {"client": (b"REQ", b"DEALER", b"ROUTER"), "server": (b"REP", b"DEALER", b"ROUTER")}
    if told.get(b"socket-type") not in legal[sender]:
        refuse("PAT-1")
    identity = told.get(b"identity", b"")
    if len(identity) > 255 or identity.startswith(b"\0"):
        refuse("PAT-7")
    return None


def raw_key(certificate: bytes, algorithms: Sequence[str]) -> bytes:
    """The key in a Certificate that is no chain (CERT-1, CERT-2)."""
    shown = parse("Certificate", certificate)
    if shown["certificate_type"] != 0:
        refuse("CERT-1")
    if algorithm_of(shown["body"], "CERT-2") not in algorithms:
        refuse("CERT-1")
    return bytes(shown["body"])


def pin_of(spki: bytes) -> str:
    return sha256(spki).hexdigest()


@dataclass
class Handshake:
    """Both sides of one handshake: each message is judged as its receiver does."""

    group: Json
    test: Json
    state: str = "start"
    seen: bytes = b""
    early: list[bytes] = field(default_factory=list)
    offered: bool = False
    announced: bool = False
    resumed: bool = False
    requested: bool = False
    own_certificate: bytes = b""

    def __post_init__(self) -> None:
        suite = self.group["suite"]
        self.h, self.kem, self.aead = Hash(suite["hash"]), Kem(suite["kem"]), suite["aead"]
        self.codes = {name: CODES[name].index(suite[name]) for name in CODES}
        self.prologue, self.seed = bytes.fromhex(self.test["prologue"]), bytes.fromhex(self.test["kem_seed"])
        self.psk = bytes.fromhex(self.test.get("psk", ""))
        algorithms = SIG_IDS[:1] if suite["sig"] == "ed25519" else SIG_IDS[1:]
        self.client_algorithms: Sequence[str] = algorithms
        for side in ("server", "client"):
            if self.group[f"{side}_seed"]:
                spki = spki_of(suite["sig"], bytes.fromhex(self.group[f"{side}_seed"]))
                same(f"{side}_pin", pin_of(spki), self.group[f"{side}_pin"])

    def run(self) -> None:
        for message in self.test["messages"]:
            self.receive(message["sender"], bytes.fromhex(message["octets"]))
        same("state at the end", self.state, "over")
        if "values" in self.test:
            self.check_values()

    def receive(self, sender: str, octets: bytes) -> None:
        kind, due = octets[0], {"start": HELLO, "wait_server_hello": ANSWER, "wait_client_key": KEY}.get(self.state)
        if kind not in TYPES:
            refuse("REG-1")
        if kind == DATA and self.announced and self.state in ("wait_server_hello", "wait_client_key"):
            self.early.append(octets)
            return
        if kind in SEALED and due:
            refuse("REC-1")
        if kind != due if due else kind not in SEALED:
            refuse("HS-18")
        same("sender", sender, "client" if self.state in ("start", "wait_client_key", "client_data") else "server")
        step = {HELLO: self.client_hello, ANSWER: self.server_hello, KEY: self.client_key}.get(due or 0, self.record)
        step(octets)

    def client_hello(self, octets: bytes) -> None:
        hello = parse("ClientHello", octets[1:])
        if hello["version"] != 1:
            refuse("HS-2")
        extensions = extensions_of("ClientHello", hello)
        if COOKIE in extensions:
            refuse("PUZ-5")
        self.announced, self.offered = EARLY_DATA in extensions, PRE_SHARED_KEY in extensions
        if self.announced and not self.offered:
            refuse("RES-19")
        if self.offered:
            self.check_ticket(hello, octets, extensions[PRE_SHARED_KEY]["binder"])
        if self.codes not in hello["suites"]:
            refuse("HS-3")
        self.hello, self.seen, self.state = octets, self.prologue + octets, "wait_server_hello"

    def check_ticket(self, hello: Json, octets: bytes, binder: bytes) -> None:
        """RES-8, RES-9."""
        if hello["extensions"][-1]["extension_type"] != PRE_SHARED_KEY:
            refuse("RES-8")
        if self.test["known"] and not binder_fits(self.h, self.psk, self.prologue + octets, binder):
            refuse("RES-9")

    def server_hello(self, octets: bytes) -> None:
        hello = parse("ServerHello", octets[1:])
        if hello["version"] != 1:
            refuse("HS-2")
        if hello["suite"] != self.codes:
            refuse("HS-4")
        extensions = extensions_of("ServerHello", hello)
        self.check_resumed(hello, extensions)
        self.requested = AUTH_REQUEST in extensions
        if not self.resumed and not hello["certificate"]:
            refuse("HS-5")
        covered = self.seen + octets[: -len(hello["signature"]) - 2]
        if self.resumed:
            early = self.h.extract(self.h.zeros, self.psk)
            key = self.h.expand(early, "s psk auth", self.h(b""))
            if hello["signature"] != self.h.finished(key, covered):
                refuse("RES-11")
        else:
            self.check_server(hello, covered)
        self.kem.check(hello["kem_public_key"])
        self.public_key, self.server_signature = hello["kem_public_key"], hello["signature"]
        self.covered, self.seen, self.state = covered, self.seen + octets, "wait_client_key"

    def check_resumed(self, hello: Json, extensions: Mapping[int, Json]) -> None:
        """RES-10, RES-13, RES-15."""
        self.resumed, answer = PRE_SHARED_KEY in extensions, extensions.get(EARLY_DATA)
        if (self.resumed and not self.offered) or (answer and not self.announced):
            refuse("RES-13")
        if answer and not self.resumed and answer["status"] != 3:
            refuse("RES-15")
        if self.resumed and (hello["certificate"] or AUTH_REQUEST in extensions):
            refuse("RES-10")
        if self.offered:
            same("resumed", self.resumed, self.test["known"])

    def check_server(self, hello: Json, covered: bytes) -> None:
        """CERT-1 to CERT-3, HS-6."""
        spki = raw_key(hello["certificate"], (self.group["suite"]["sig"],))
        if pin_of(spki) != self.group["server_pin"]:
            refuse("CERT-3")
        if not verified(spki, hello["signature"], CONTEXTS["server"][0] + self.h(covered)):
            refuse("HS-6")

    def client_key(self, octets: bytes) -> None:
        message = parse("ClientKey", octets[1:])
        self.ciphertext = message["kem_ciphertext"]
        self.secret = self.kem.decapsulate(self.seed, self.ciphertext)
        same("public key of kem_seed", self.kem.public_key(self.seed), self.public_key.hex())
        aad = bytes([KEY]) + vector(self.ciphertext, 2)
        self.h1, self.t_ck = self.seen + aad, self.seen + octets
        self.values = handshake_values(
            self.h, self.secret, self.h1, self.t_ck, self.prologue + self.hello, self.psk if self.resumed else b""
        )
        try:
            sealed = aead(self.aead, self.values["auth_key"])
            opened = sealed.decrypt(self.values["auth_iv"], message["sealed_auth"], aad)
        except InvalidTag:
            refuse("HS-9")
        self.client_auth(opened, parse("ClientAuth", opened, hash_length=self.h.length))
        self.state = "wait_finished"

    def client_auth(self, octets: bytes, auth: Json) -> None:
        certificate, signature = auth["certificate"], auth["signature"]
        if certificate and not self.requested:
            refuse("HS-10")
        if bool(certificate) != bool(signature):
            refuse("HS-11")
        if self.group["client_authentication"] and not certificate and not self.resumed:
            refuse("HS-12")
        self.client_signature, self.own_certificate = signature, certificate
        spki = raw_key(certificate, self.client_algorithms) if certificate else b""
        signed = CONTEXTS["client"][0] + self.h(self.h1 + vector(certificate, 3))
        if certificate and not verified(spki, signature, signed):
            refuse("HS-13")
        covered = octets[: -self.h.length]
        if auth["verify_data"] != self.h.finished(self.values["c_hs"], self.h1 + covered):
            refuse("HS-14")
        if auth["early_count"] != len(self.early):
            refuse("HS-15")
        if certificate and pin_of(spki) != self.group["client_pin"]:
            refuse("CERT-4")
        if self.resumed and auth["metadata"] != self.remembered("client"):
            refuse("RES-7")
        check_metadata(self.group["binding"], "client", auth["metadata"])
        self.open_early()

    def remembered(self, side: str) -> bytes:
        """What a side always tells of itself."""
        if self.group["binding"] == "raw":
            return b""
        told = ((b"Socket-Type", SOCKETS[side]), (b"Identity", side.encode()))
        return b"".join(vector(name, 1) + vector(value, 4) for name, value in told)

    def open_early(self) -> None:
        """Early records are opened if the session is resumed, which the tests' servers may still reject."""
        receiver = Receiver(self.aead, self.h, self.values["c_early"], 0, data_stream=EARLY)
        for record in self.early if self.resumed else ():
            same("early data", receiver.open(record)[1], b"\0\5early".hex())

    def record(self, octets: bytes) -> None:
        secret, generation, seq = {
            "wait_finished": ("s_hs", 0, 0),
            "client_data": ("c_ap", 1, 0),
            "server_data": ("s_ap", 1, 1),
        }[self.state]
        kind, plaintext = Receiver(self.aead, self.h, self.values[secret], generation, seq).open(octets)
        if self.state == "wait_finished":
            if kind != FINISHED:
                refuse("HS-18")
            self.finished(plaintext)
            self.state = "client_data"
            return
        same("data", plaintext, SAID[self.state[:6]].hex())
        self.state = "server_data" if self.state == "client_data" else "over"

    def finished(self, octets: bytes) -> None:
        finished = parse("Finished", octets, hash_length=self.h.length)
        covered = self.t_ck + bytes([FINISHED]) + octets[: -self.h.length]
        if finished["verify_data"] != self.h.finished(self.values["s_hs"], covered):
            refuse("HS-16")
        if self.resumed and finished["metadata"] != self.remembered("server"):
            refuse("RES-12")
        check_metadata(self.group["binding"], "server", finished["metadata"])

    def check_values(self) -> None:
        """Every value in between, and what was drawn."""
        same_values({"kem_secret": self.secret} | self.values, self.test["values"])
        randomness = bytes.fromhex(self.test["kem_randomness"])
        same("kem_randomness", self.kem.encapsulate(self.public_key, randomness), (self.ciphertext, self.secret))
        for side, signature, covered in (
            ("server", self.server_signature, self.h(self.covered)),
            ("client", self.client_signature, self.h(self.h1 + vector(self.own_certificate, 3))),
        ):
            if f"{side}_randomness" in self.test:
                drawn, seed = self.test[f"{side}_randomness"], bytes.fromhex(self.group[f"{side}_seed"])
                message = CONTEXTS[side][0] + covered
                repeated = hedged(self.group["suite"]["sig"], seed, message, bytes.fromhex(drawn))
                same(f"{side}_randomness", repeated, signature.hex())


def binder_fits(h: Hash, psk: bytes, octets: bytes, binder: bytes) -> bool:
    """RES-9: over everything before the binder and its length octet."""
    key = h.expand(h.extract(h.zeros, psk), "res binder", h(b""))
    return binder == h.finished(key, octets[: -len(binder) - 1])


def check_handshake(group: Json, test: Json) -> None:
    Handshake(group, test).run()
