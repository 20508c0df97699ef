"""The reference as a target with one fault in it: `python -m tests.faulty_reference NAME`.

A fault is a line of the reference as a careless implementer would have written it. It is put in when the module is
loaded; a fault whose line is gone from the reference says so.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Fault:
    """`right` in the source of `module` becomes `wrong`; the suite notices by the case `killed_by`."""

    module: str
    right: str
    wrong: str
    killed_by: str

    def apply(self) -> None:
        """Load the module with the fault in it, before anything else does."""
        spec = importlib.util.find_spec(self.module)
        if spec is None or spec.origin is None or self.module in sys.modules:
            raise LookupError(f"{self.module} cannot be changed any more")
        source = Path(spec.origin).read_text(encoding="utf-8")
        if source.count(self.right) != 1:
            raise LookupError(f"{self.module} has {source.count(self.right)} times {self.right!r}: renew the fault")
        module = importlib.util.module_from_spec(spec)
        sys.modules[self.module] = module
        parent, _, name = self.module.rpartition(".")
        setattr(importlib.import_module(parent), name, module)
        exec(compile(source.replace(self.right, self.wrong), spec.origin, "exec"), module.__dict__)  # noqa: S102


CLIENT, SERVER, RECORDS = "qzmq_ref.handshake.client", "qzmq_ref.handshake.server", "qzmq_ref.records"
FAULTS: Mapping[str, Fault] = {
    "none": Fault("qzmq_ref.z85", "from __future__", "from __future__", "handshake/hybrid/server/whole-mutual"),
    "server-signature-unchecked": Fault(
        CLIENT,
        "known(session.peer_key).verify(message.signature, server_signed(session, message))",
        "pass",
        "faults/hybrid/client/ServerHello/signature-flip0",
    ),
    "pin-unchecked": Fault(
        CLIENT,
        "if key.pin not in configuration.server_pins:",
        "if False:",
        "faults/classical/client/ServerHello/stranger",
    ),
    "suite-unchecked": Fault(
        CLIENT,
        "if message.suite not in session.configuration.policy.suites:",
        "if False:",
        "faults/hybrid/client/ServerHello/suite-x25519_ml_kem_768+ml_dsa_44+chacha20_poly1305+sha_256",
    ),
    "random-repeated": Fault(CLIENT, "random=session.entropy(32)", "random=bytes(32)", "agreement/hybrid/client/fresh"),
    "client-mac-unchecked": Fault(
        SERVER,
        "if not hmac.compare_digest(auth.verify_data, client_mac(session, auth)):",
        "if False:",
        "faults/hybrid/server/ClientAuth/verify-data-flip-1",
    ),
    "order-unchecked": Fault(RECORDS, "if seq != self.seq:", "if seq < 0:", "records/hybrid/server/order/gap"),
    "stream-unchecked": Fault(
        RECORDS,
        "if STREAMS.get(message_type) != stream_id:",
        "if False:",
        "records/hybrid/server/header/sealed/octet-7-bit-1",
    ),
    "tag-unchecked": Fault(
        "qzmq_ref.crypto.aead",
        "out[:] = bytes(len(out))",
        "out[:] = sealed[: len(out)]; return len(out)",
        "records/hybrid/server/protection/plaintext",
    ),
    "padding-unchecked": Fault(
        RECORDS, "or any(plaintext[size - 2 - n : size - 2])", "", "records/hybrid/client/padding/first-not-zero"
    ),
    "other-alert": Fault(
        RECORDS,
        "AlertDescription.BAD_RECORD_MAC",
        "AlertDescription.DECRYPT_ERROR",
        "records/hybrid/server/protection/flip-1",
    ),
    "alert-in-the-clear": Fault(
        "qzmq_ref.handshake.machine",
        "closing.sealed_alert if session.sealing else closing.alert",
        "closing.alert",
        "handshake/classical/server/established/client_hello",
    ),
    "silent-end": Fault(
        "qzmq_ref.handshake.machine",
        'if session.state not in ("closing", "closed"):',
        "if False:",
        "handshake/classical/server/start/finished",
    ),
    "trailing-octets-ignored": Fault(
        "qzmq_ref.spec.schema",
        "if left := len(data) - stream.tell():",
        "if left := 0:",
        "wire/hybrid/server/ClientHello/trailing",
    ),
    "any-mechanism": Fault(
        "qzmq_ref.zmtp",
        "if octets[12:32] != right[12:32]:",
        "if False:",
        "bindings/hybrid/server/zmtp/greeting/mechanism-NULL",
    ),
    "any-socket-type": Fault(
        "qzmq_ref.patterns",
        "if peers not in legal_peers().get(own, ()):",
        "if False:",
        "metadata/hybrid/server/pair/REP-PUB",
    ),
    "forged-properties": Fault(
        "qzmq_ref.patterns", '(b"x-qzmq-", b"__")', '(b"__",)', "isolation/hybrid/server/properties-of-anonymous"
    ),
    "in-the-clear": Fault(
        "qzmq_conformance.reference",
        'security = request["security"]',
        "security = None",
        "patterns/hybrid/PUSH-PULL/binds-as-server",
    ),
    "dead": Fault("qzmq_conformance.reference", 'verb = self._verbs.get(request["verb"])', "raise SystemExit", ""),
    "deaf": Fault("qzmq_conformance.reference", 'self._emit({"id": request["id"], **answer})', "pass", ""),
}


def main(name: str) -> None:
    """Be that target."""
    FAULTS[name].apply()
    importlib.import_module("qzmq_conformance.reference").main()


if __name__ == "__main__":
    main(sys.argv[1])
