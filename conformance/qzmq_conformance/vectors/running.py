"""The reference runs test vectors: one small function for each operation, by its kind and name.

Each is given plain JSON and returns plain JSON; what the reference refuses leaves as the `Alert` that it would send.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from qzmq_conformance.scaffold import Refused, Unsupported
from qzmq_conformance.vectors import following, judging, reviving
from qzmq_conformance.vectors.judging import At, alerting, drawing, octets_of
from qzmq_conformance.vectors.keyschedule import everything
from qzmq_conformance.vectors.stream import BINDINGS
from qzmq_ref import z85
from qzmq_ref.alerts import Alert, alert_name
from qzmq_ref.crypto import provider
from qzmq_ref.crypto.hash import HashFunction
from qzmq_ref.crypto.kem import Kem, kem
from qzmq_ref.crypto.signature import SigningKey, public_key
from qzmq_ref.handshake import keyschedule as ks
from qzmq_ref.handshake.client import CLIENT_CONTEXT, SERVER_CONTEXT
from qzmq_ref.registries import HashId, KemId, SigId

Json: TypeAlias = Mapping[str, Any]
CONTEXTS = {"client": CLIENT_CONTEXT, "server": SERVER_CONTEXT}


def run(kind: str, operation: str, given: Json) -> Json:
    """What the reference makes of a vector; `Refused` with its alert, `Unsupported` if there is no such operation."""
    act = _OPERATIONS.get((kind, operation))
    if act is None:
        raise Unsupported(f"operation {operation} on vectors of kind {kind}")
    try:
        return act(given)
    except At as refused:
        raise Refused(alert_name(refused.alert.description), refused.position, refused.alert.requirement) from None
    except Alert as alert:
        raise Refused(alert_name(alert.description), requirement=alert.requirement) from None


def shown(values: Mapping[str, bytes]) -> dict[str, str]:
    """Octets as JSON says them."""
    return {name: octets.hex() for name, octets in values.items()}


# ---------------------------------------------------------------------- wire


def _greeting(given: Json) -> Json:
    BINDINGS[given["binding"]](given["received_by"]).receive_greeting(memoryview(octets_of(given, "octets")))
    return {}


def _frame(given: Json) -> Json:
    view = memoryview(octets_of(given, "octets"))
    start, end = BINDINGS[given["binding"]]("client").message(view, given["limit"]) or (0, 0)
    return {"message": view[start:end].hex()}


# ---------------------------------------------------------------------- kem, signature


def _kem(given: Json) -> Kem:
    return kem(KemId[given["kem"].upper()], provider())


def _generate(given: Json) -> Json:
    return {"public_key": _kem(given).generate(drawing(octets_of(given, "seed"))).public_key.hex()}


def _encapsulate(given: Json) -> Json:
    randomness = octets_of(given, "randomness") or bytes(range(64))
    with alerting("illegal_parameter", "REG-4"):
        ciphertext, secret = _kem(given).encapsulate(octets_of(given, "public_key"), drawing(randomness))
    return shown({"ciphertext": ciphertext, "secret": secret})


def _decapsulate(given: Json) -> Json:
    key = _kem(given).generate(drawing(octets_of(given, "seed")))
    with alerting("illegal_parameter", "REG-5"):
        return {"secret": key.decapsulate(octets_of(given, "ciphertext")).hex()}


def _signing_key(given: Json) -> SigningKey:
    return SigningKey.from_seed(SigId[given["sig"].upper()], octets_of(given, "seed"), provider())


def _sign(given: Json) -> Json:
    key, message = _signing_key(given), CONTEXTS[given["signer"]] + octets_of(given, "digest")
    return shown({"spki": key.spki, "signature": key.sign(message, drawing(octets_of(given, "randomness")))})


def _verify_signature(given: Json) -> Json:
    key, message = public_key(octets_of(given, "spki"), provider()), octets_of(given, "digest")
    with alerting("decrypt_error", "HS-6" if given["signer"] == "server" else "HS-13"):
        key.verify(octets_of(given, "signature"), CONTEXTS[given["signer"]] + message)
    return {}


# ---------------------------------------------------------------------- keyschedule


def _hash(given: Json) -> HashFunction:
    return HashFunction(HashId[given["hash"].upper()])


def _schedule(given: Json) -> Json:
    inputs = (octets_of(given, name) for name in ("kem_secret", "h1", "t_ck", "hello", "psk"))
    return {"values": shown(everything(_hash(given), *inputs))}


def _expand_label(given: Json) -> Json:
    secret, context = octets_of(given, "secret"), octets_of(given, "context")
    return {"output": ks.expand_label(_hash(given), secret, given["label"].encode(), context, given["length"]).hex()}


def _exporter(given: Json) -> Json:
    exp, context = octets_of(given, "exp"), octets_of(given, "context")
    return {"output": ks.exporter(_hash(given), exp, given["label"].encode(), context, given["length"]).hex()}


def _finished(given: Json) -> Json:
    return {"verify_data": _mac(given).hex()}


def _verify_finished(given: Json) -> Json:
    if not hmac.compare_digest(_mac(given), octets_of(given, "verify_data")):
        raise judging.alert("decrypt_error", "HS-14" if given["sender"] == "client" else "HS-16")
    return {}


def _mac(given: Json) -> bytes:
    return ks.finished_mac(_hash(given), octets_of(given, "secret"), octets_of(given, "transcript"))


# ---------------------------------------------------------------------- rotation, tickets, certificates


def _chain_of_steps(given: Json) -> Json:
    h, secret, steps = _hash(given), octets_of(given, "secret"), []
    for _ in range(255):
        key, iv = (ks.expand(h, secret, name) for name in ("record_key", "record_iv"))
        steps.append(shown({"traffic": secret, "key": key, "iv": iv}))
        secret = ks.next_traffic_secret(h, secret)
    return {"steps": steps[:8], "traffic_255": secret.hex()}


def _psk(given: Json) -> Json:
    return {"psk": ks.expand(_hash(given), octets_of(given, "res"), "psk", octets_of(given, "nonce")).hex()}


def _pin(given: Json) -> Json:
    key, seed = _signing_key(given), octets_of(given, "seed")
    readable = {"seed_z85": z85.encode(seed).decode(), "pin_z85": z85.encode(key.pin).decode()}
    return {**shown({"spki": key.spki, "pin": key.pin}), **readable}


_OPERATIONS: Mapping[tuple[str, str], Callable[[Json], Json]] = {
    ("wire", "parse"): reviving.parse,
    ("wire", "build"): reviving.build,
    ("wire", "greeting"): _greeting,
    ("wire", "frame"): _frame,
    ("kem", "generate"): _generate,
    ("kem", "encapsulate"): _encapsulate,
    ("kem", "decapsulate"): _decapsulate,
    ("signature", "sign"): _sign,
    ("signature", "verify"): _verify_signature,
    ("keyschedule", "schedule"): _schedule,
    ("keyschedule", "expand_label"): _expand_label,
    ("keyschedule", "exporter"): _exporter,
    ("keyschedule", "finished"): _finished,
    ("keyschedule", "verify"): _verify_finished,
    ("records", "open"): judging.open_records,
    ("handshake", "follow"): following.follow,
    ("rotation", "chain"): _chain_of_steps,
    ("rotation", "open"): judging.open_records,
    ("rotation", "exchange"): judging.exchange,
    ("tickets", "psk"): _psk,
    ("tickets", "ticket"): judging.new_ticket,
    ("tickets", "follow"): following.follow,
    ("tickets", "early"): judging.early,
    ("puzzle", "puzzle"): judging.puzzle,
    ("certificates", "pin"): _pin,
    ("certificates", "raw_key"): judging.raw_key,
    ("certificates", "chain"): judging.chain,
}
