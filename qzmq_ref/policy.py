"""Policies: which suites a side accepts, in which order, and its limits (spec/policies.md, spec/rotation.md)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Literal

from qzmq_ref.alerts import LocalError
from qzmq_ref.registries import AeadId, CipherSuite, HashId, KemId, SigId
from qzmq_ref.spec.tables import tables

log = logging.getLogger("qzmq")

MAX_RECORD = 2**20
"""Ceiling of a data record's plaintext in octets (REC-3)."""

MAX_PADDING = 2**15
"""Ceiling of `Policy.padding`, so that the pad length always fits its uint16 (REC-13)."""


MAX_DIFFICULTY = 20
"""Ceiling of a puzzle's difficulty in bits (PUZ-3)."""


MAX_TICKET_LIFETIME = 604800
"""Ceiling of a ticket's life in seconds, from the last signatures (RES-2)."""

MAX_TICKETS = 16


@dataclass(frozen=True)
class Limits:
    """When a key steps (ROT-1) and a generation ends (ROT-15).

    Defaults are the ceilings of table `limits`; a policy may only lower them.
    """

    step_records: int = 2**32
    step_octets: int = 2**40
    step_seconds: float = 600.0
    step_blocks: int = 2**36
    generation_seconds: float = 3600.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 < value <= field.default:
                raise LocalError(f"POL-16: {field.name} is {value}; choose a number above 0, at most {field.default}")


@dataclass(frozen=True)
class Policy:
    """An ordered suite list, most preferred first, with the limits of a session.

    `mode` bounds the suites (POL-8), hybrid unless another is named (POL-10); `mixed` lifts that bound with a
    warning (POL-9). `record_cut` is the largest plaintext this side puts in one record and `padding` a number of
    octets that every data record's plaintext is padded to a multiple of (0: none, REC-13). `handshake_timeout` is in
    seconds. `identity_is_pin` refuses a peer whose routing identity is another than its pin (PAT-9). A server
    asks for a puzzle of `difficulty` bits as `retry` says, a client solves none above `max_difficulty` bits (PUZ-3). A
    server sends `tickets` tickets, one if the session is resumed (RES-1), that hold `ticket_lifetime` seconds (RES-2),
    and releases early data only with `early_data` (RES-16).
    """

    suites: tuple[CipherSuite, ...]
    mode: str = "hybrid"
    mixed: bool = False
    limits: Limits = Limits()
    record_cut: int = 65536
    padding: int = 0
    handshake_timeout: float = 5.0
    identity_is_pin: bool = False
    retry: Literal["never", "under_load", "always"] = "never"
    difficulty: int = 12
    max_difficulty: int = 16
    tickets: int = 2
    ticket_lifetime: int = 86400
    early_data: bool = False

    def __post_init__(self) -> None:
        self._check_suites()
        if not 0 <= self.padding <= MAX_PADDING:
            raise LocalError(f"REC-13: padding is {self.padding}; choose 0 (none) to {MAX_PADDING} octets")
        most = MAX_RECORD - (self.padding and self.padding + 2)
        if not 0 < self.record_cut <= most:
            raise LocalError(f"REC-3: record_cut is {self.record_cut}; choose 1 to {most} octets")
        if not 0 < self.handshake_timeout <= 5.0:
            raise LocalError(f"POL-16: handshake_timeout is {self.handshake_timeout}; choose more than 0, at most 5 s")

        for name in ("difficulty", "max_difficulty"):
            if not 0 <= getattr(self, name) <= MAX_DIFFICULTY:
                raise LocalError(f"PUZ-3: {name} is {getattr(self, name)}; choose 0 to {MAX_DIFFICULTY} bits")
        if not 0 <= self.ticket_lifetime <= MAX_TICKET_LIFETIME:
            raise LocalError(
                f"RES-2: ticket_lifetime is {self.ticket_lifetime}; choose at most {MAX_TICKET_LIFETIME} s"
            )
        if not 0 <= self.tickets <= MAX_TICKETS:
            raise LocalError(f"RES-1: tickets is {self.tickets}; choose 0 to {MAX_TICKETS}")
        if self.retry not in ("never", "under_load", "always"):
            raise LocalError(f"retry is {self.retry!r}; choose never, under_load or always (spec/puzzle.md)")

    def _check_suites(self) -> None:
        """POL-1, POL-7, POL-8, POL-9."""
        if not self.suites or len(set(self.suites)) != len(self.suites):
            raise LocalError(
                "POL-1: a policy needs at least one suite, and none twice; see Policy.preset() for named ones"
            )
        if self.mode not in modes():
            raise LocalError(f"POL-8: there is no mode {self.mode!r}; choose one of {', '.join(modes())}")
        found = {suite: mode_of(suite) for suite in self.suites}
        for suite, mode in found.items():
            if mode is None or suite.hash == HashId.BLAKE3 or not isinstance(suite.aead, AeadId):
                raise LocalError(
                    f"POL-7: suite {suite} is of no mode; pair its KEM and signature as table `modes` does"
                )
            if mode != self.mode and not self.mixed:
                raise LocalError(
                    f"POL-8: suite {suite} is {mode}, the policy {self.mode}; set mode={mode!r} or mixed=True"
                )
        classical = [str(suite) for suite, mode in found.items() if mode == "classical"]
        if self.mixed and classical and len(classical) < len(found):
            log.warning("POL-9: mixed policy accepts classical suites: %s", ", ".join(classical))

    @classmethod
    def preset(cls, name: str) -> Policy:
        """The policy that table `presets` gives this name (POL-12); LocalError for any other (POL-13)."""
        try:
            return _presets()[name]
        except KeyError:
            raise LocalError(f"POL-13: there is no preset {name!r}; choose one of {', '.join(_presets())}") from None

    @property
    def signature(self) -> SigId:
        """Signature algorithm of this side's own key: that of the most preferred suite."""
        return SigId(self.suites[0].sig)

    @property
    def client_signatures(self) -> tuple[SigId, ...]:
        """What a server of this policy lists in `client_auth_request`: every signature of its modes (POL-4)."""
        accepted = {sig for suite in self.suites for sig in modes()[mode_of(suite) or ""].signatures}
        return tuple(sorted(accepted))


@dataclass(frozen=True)
class Mode:
    """A row of table `modes`."""

    kems: frozenset[KemId]
    signatures: frozenset[SigId]


@cache
def modes() -> Mapping[str, Mode]:
    """Mode name -> its KEMs and signatures (table `modes`)."""
    return {
        row["Mode"]: Mode(
            frozenset(KemId[name.strip().upper()] for name in row["KEM"].split(",")),
            frozenset(SigId[name.strip().upper()] for name in row["Signature"].split(",")),
        )
        for row in tables()["modes"]
    }


def mode_of(suite: CipherSuite) -> str | None:
    """The mode whose row lists the suite's KEM and signature, or None (POL-7)."""
    return next(
        (name for name, mode in modes().items() if suite.kem in mode.kems and suite.sig in mode.signatures),
        None,
    )


def preset_names() -> tuple[str, ...]:
    """Names that `Policy.preset` knows, in the order of table `presets`."""
    return tuple(_presets())


@cache
def _presets() -> Mapping[str, Policy]:
    suites: dict[str, list[CipherSuite]] = {}
    mode: dict[str, str] = {}
    for row in tables()["presets"]:
        suite = CipherSuite(
            KemId[row["KEM"].upper()],
            SigId[row["Signature"].upper()],
            AeadId[row["AEAD"].upper()],
            HashId[row["Hash"].upper()],
        )
        suites.setdefault(row["Preset"], []).append(suite)
        mode[row["Preset"]] = row["Mode"]
    return {name: Policy(tuple(suites[name]), mode=mode[name]) for name in suites}
