"""What a check says: nothing if all is right, `Refused` where a rule is broken, `Wrong` where a vector is."""

from __future__ import annotations

from typing import Any, NoReturn

Json = dict[str, Any]

ALERTS = {
    "unexpected_message": "REC-1 REC-6 HS-18 REG-1 RAW-5 ZMTP-8 RES-14",
    "bad_record_mac": "REC-8 ROT-5 RES-16",
    "record_overflow": "ZMTP-10 RAW-6",
    "handshake_failure": "HS-3 PAT-1 ZMTP-4",
    "bad_certificate": "CERT-2 CERT-7 CERT-8 CERT-11",
    "unsupported_certificate": "CERT-1 CERT-10 CERT-14 CERT-15",
    "certificate_expired": "CERT-12",
    "certificate_unknown": "CERT-3",
    "illegal_parameter": "REC-4 REC-5 REC-7 REC-13 ROT-2 ROT-4 ROT-6 ROT-7 ROT-8 ROT-12 ROT-13 ROT-14 "
    "REG-4 REG-5 REG-6 HS-4 HS-5 HS-10 HS-11 HS-15 PAT-7 PAT-8 RES-2 RES-7 RES-8 RES-10 "
    "RES-12 RES-15 RES-19 PUZ-1 PUZ-3 PUZ-4 PUZ-5 RAW-3 ZMTP-5",
    "unknown_ca": "CERT-9 CERT-13",
    "access_denied": "CERT-4",
    "decode_error": "REC-2 REG-2 REG-7 REG-10 PAT-3 PAT-4 RAW-2 ZMTP-2",
    "decrypt_error": "HS-6 HS-9 HS-13 HS-14 HS-16 RES-9 RES-11",
    "protocol_version": "HS-2 PUZ-7 ZMTP-3",
    "unsupported_extension": "REG-9 RES-13",
    "unrecognized_name": "CERT-16",
    "certificate_required": "HS-12",
}
ANSWERS = {rule: alert for alert, rules in ALERTS.items() for rule in rules.split()}


class Refused(Exception):
    """A rule is broken."""

    def __init__(self, rule: str) -> None:
        super().__init__(f"{rule}: {ANSWERS[rule]}")
        self.rule = rule


class Wrong(Exception):
    """The vector is wrong: what was computed is not what it says."""


def refuse(rule: str) -> NoReturn:
    raise Refused(rule)


def same(what: str, computed: Any, said: Any) -> None:
    """The vector must say what was computed; octets are said in hexadecimal."""
    if isinstance(computed, bytes):
        computed = computed.hex()
    if computed != said:
        raise Wrong(f"{what}: computed {str(computed)[:80]}, said {str(said)[:80]}")
