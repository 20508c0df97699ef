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


CERTIFICATES, X509 = "qzmq_ref.handshake.certificates", "qzmq_ref.handshake.x509"
CLIENT, SERVER, RECORDS = "qzmq_ref.handshake.client", "qzmq_ref.handshake.server", "qzmq_ref.records"
REKEY, PUZZLE, RESUME = (f"qzmq_ref.handshake.{name}" for name in ("rekey", "puzzle", "resume"))
FAULTS: Mapping[str, Fault] = {
    "none": Fault("qzmq_ref.z85", "from __future__", "from __future__", "handshake/hybrid/server/whole-mutual"),
    "server-signature-unchecked": Fault(
        CLIENT,
        "known(session.peer_key).verify(message.signature, server_signed(session, message))",
        "pass",
        "faults/hybrid/client/ServerHello/signature-flip0",
    ),
    "pin-unchecked": Fault(
        CERTIFICATES,
        "if shown.key.pin in configuration.server_pins:",
        "if True:",
        "faults/classical/client/ServerHello/stranger",
    ),
    "path-unchecked": Fault(
        CERTIFICATES,
        'x509.check_chain(shown.chain, configuration.trust, "client", algorithms)',
        "pass",
        "certificates/hybrid/server/ClientAuth/issuer-forged",
    ),
    "weak-link-unchecked": Fault(
        X509,
        "    _check_algorithms(path, algorithms)\n",
        "",
        "certificates/pq_only/client/ServerHello/anchor-weak",
    ),
    "name-unchecked": Fault(
        X509,
        "if trust.name and not is_named(path[0], trust.name):",
        "if False:",
        "certificates/classical/client/ServerHello/another-name",
    ),
    "dates-unchecked": Fault(
        X509,
        "if not link.not_before <= now <= link.not_after:",
        "if False:",
        "certificates/hybrid/client/ServerHello/anchor-expired",
    ),
    "any-issuer": Fault(
        X509,
        "if not (basic and basic.ca) or (usage and not usage.key_cert_sign):",
        "if not basic:",
        "certificates/hybrid/server/ClientAuth/issuer-no-ca",
    ),
    "any-purpose": Fault(
        X509,
        "if not (stated and signs and leaf.purposes and purpose in leaf.purposes):",
        "if False:",
        "certificates/hybrid/server/ClientAuth/leaf-for-others",
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
        "if self._streams.get(message_type) != stream_id:",
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
    "offer-by-anyone": Fault(
        REKEY,
        "    _check_kind(message, KeyUpdateKind.REQUEST)\n",
        "",
        "rotation/hybrid/client/offer-by-server",
    ),
    "any-generation": Fault(
        REKEY,
        "if message.generation != session.generation + 1:",
        "if False:",
        "rotation/hybrid/server/offer-of-3",
    ),
    "offer-repeated": Fault(
        REKEY,
        "key = _kem(session).generate(session.entropy)",
        "key = _kem(session).generate(bytes)",
        "rotation/classical/client/fresh",
    ),
    "generation-begins-anywhere": Fault(
        RECORDS, " or not self._begun:", ":", "rotation/hybrid/client/first-record-step-1"
    ),
    "solution-unchecked": Fault(
        PUZZLE,
        "if not solves(session.cookie, puzzled(base), session.configuration.policy.difficulty, solution.solution):",
        "if False:",
        "puzzle/hybrid/server/wrong-solution",
    ),
    "second-hello-unchecked": Fault(
        PUZZLE,
        "or zero_binder(message) != zero_binder(with_solution(base, solution))",
        "",
        "puzzle/hybrid/server/SecondClientHello/extension-added",
    ),
    "cookie-repeated": Fault(
        PUZZLE, "cookie=session.entropy(COOKIE)", "cookie=bytes(COOKIE)", "puzzle/hybrid/server/fresh"
    ),
    "cookie-unasked": Fault(
        PUZZLE,
        "if any(extension.extension_type == ExtensionType.COOKIE for extension in message.extensions):",
        "if False:",
        "puzzle/hybrid/server/ClientHello/unasked",
    ),
    "any-difficulty": Fault(
        PUZZLE, "if message.difficulty > most:", "if False:", "puzzle/hybrid/client/HelloRetry/difficulty-7"
    ),
    "binder-unchecked": Fault(
        RESUME,
        'if not hmac.compare_digest(binder, keyschedule.psk_mac(h, ticket.psk, "binder_key", covered)):',
        "if False:",
        "resumption/hybrid/server/ClientHello/binder-flip0",
    ),
    "ticket-anywhere": Fault(
        RESUME,
        "if message.extensions[-1].extension_type != ExtensionType.PRE_SHARED_KEY:",
        "if False:",
        "resumption/hybrid/server/ClientHello/not-last",
    ),
    "ticket-used-twice": Fault(
        RESUME, ".take(key.identity)", ".peek(key.identity)", "resumption/hybrid/server/each-once"
    ),
    "ticket-unbound": Fault(
        RESUME, "ticket.digest != configuration.digest or ", "", "resumption/hybrid/server/changed-suites"
    ),
    "ticket-outlives-generation": Fault(
        RESUME,
        "session.configuration.tickets.discard(session.issued)",
        "pass",
        "resumption/hybrid/server/rekeyed",
    ),
    "ticket-for-ever": Fault(
        RESUME,
        "if message.lifetime > MAX_TICKET_LIFETIME:",
        "if False:",
        "resumption/hybrid/client/lifetime-604801",
    ),
    "proof-unchecked": Fault(
        CLIENT,
        "if not hmac.compare_digest(message.signature, server_proof(session, message)):",
        "if False:",
        "resumption/hybrid/client/ServerHello/proof-flip0",
    ),
    "metadata-unbound": Fault(
        "qzmq_ref.handshake.peers",
        "if session.resumed and octets != session.peer_metadata:",
        "if False:",
        "resumption/hybrid/server/ClientAuth/metadata",
    ),
    "early-unbounded": Fault(
        RESUME,
        "if records > MAX_EARLY_RECORDS or total > MAX_EARLY_OCTETS:",
        "if total > MAX_EARLY_OCTETS:",
        "early/hybrid/server/accepted/too-many-records",
    ),
    "early-uncounted": Fault(
        SERVER,
        "if auth.early_count != session.early_records:",
        "if False:",
        "early/hybrid/server/accepted/count-1-of-2",
    ),
    "early-repeated": Fault(
        "qzmq_ref.bridge.early", "        return None\n", "        return octets\n", "early/hybrid/client/unknown"
    ),
    "early-before-zap": Fault(
        RESUME,
        "if session.authorizing or not (session.configuration",
        "if not (session.configuration",
        "zap/hybrid/server/early",
    ),
    "refused-for-now": Fault(
        "qzmq_ref.handshake.zap",
        '(AlertDescription.ACCESS_DENIED, "ZAP-8")',
        '(AlertDescription.USER_CANCELED, "ZAP-8")',
        "zap/hybrid/server/status-400",
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
