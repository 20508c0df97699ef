"""What a suite's AEAD does to the flow of messages, beside NULL and CURVE in the same run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from qzmq_interop.throughput.contestants import COMPARED, Contestant
from qzmq_interop.throughput.mechanisms import qzmq
from qzmq_interop.throughput.rounds import Effort, measure
from qzmq_interop.throughput.scenarios import SCENARIOS
from qzmq_interop.throughput.sheets import Ratio, Sheet, compared, told
from qzmq_ref.policy import Policy
from qzmq_ref.registries import AeadId

NAMES: Mapping[AeadId, str] = {
    AeadId.AES_256_GCM: "AES-256-GCM",
    AeadId.CHACHA20_POLY1305: "ChaCha20-Poly1305",
}

AES, CHACHA = NAMES[AeadId.AES_256_GCM], NAMES[AeadId.CHACHA20_POLY1305]


def policy(aead: AeadId) -> Policy:
    """The default policy with this AEAD in its suite."""
    default = Policy.preset("default")
    return replace(default, suites=tuple(replace(suite, aead=aead) for suite in default.suites))


def measured(effort: Effort) -> Sequence[Sheet]:
    """PUSH/PULL by size, the 20 sessions and the round trip, under both AEADs."""
    contestants = [*COMPARED, *(Contestant(name, qzmq(name, policy(aead))) for aead, name in NAMES.items())]
    scenarios = [each for each in SCENARIOS if each.name.startswith(("push_pull", "active", "req_rep"))]
    run = measure(scenarios, contestants, effort)
    ratios = [Ratio(AES, "CURVE"), Ratio(CHACHA, "CURVE"), Ratio(CHACHA, AES)]
    return [compared("by AEAD", run.results, ratios, told(run.not_run))]
