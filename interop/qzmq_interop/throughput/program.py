"""`python -m qzmq_interop.throughput.program`: the reference as a program that speaks the side protocol.

It plays a side as any other implementation's program does: a model for those, and a check of the protocol itself.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TextIO

from qzmq_interop.throughput import measures
from qzmq_interop.throughput.measures import Plan
from qzmq_interop.throughput.mechanisms import MECHANISMS, Keys, Mechanism, qzmq
from qzmq_interop.throughput.side import open_side
from qzmq_ref.policy import Policy, mode_of
from qzmq_ref.registries import AeadId, CipherSuite, HashId, KemId, SigId


@dataclass(frozen=True)
class Lines:
    """Lines of JSON in both directions, and in them the link to the other end."""

    source: TextIO
    sink: TextIO

    def say(self, line: Mapping[str, Any]) -> None:
        """One line out."""
        print(json.dumps(line), file=self.sink, flush=True)

    def send(self, word: Any) -> None:
        """See `Link`."""
        self.say({"tell": word})

    def poll(self, _timeout: float) -> bool:
        """See `Link`; who waits in vain is ended from outside."""
        return True

    def recv(self) -> Any:
        """See `Link`."""
        self.say({"hear": True})
        return json.loads(self.source.readline())["told"]


def main(lines: Lines) -> None:
    """Open the side as the first line says, then measure until the lines end."""
    opening = json.loads(lines.source.readline())["open"]
    keys = Keys(**{name: key.encode() for name, key in opening["keys"].items()})
    with open_side(_mechanism(opening), keys, opening["role"], lines) as side:
        lines.say({"opened": "qzmq_ref"})
        for line in lines.source:
            order = json.loads(line)
            before = sum(os.times()[:2])
            figures = getattr(measures, order["measure"])(side, Plan(**order["plan"]))
            lines.say({"figures": figures, "cpu": sum(os.times()[:2]) - before})


def _mechanism(opening: Mapping[str, Any]) -> Mechanism:
    if opening["mechanism"] != "QZMQ":
        return MECHANISMS[opening["mechanism"]]
    suites = tuple(map(_suite, opening["suites"]))
    return qzmq("QZMQ", Policy(suites, mode=mode_of(suites[0]) or ""))


def _suite(text: str) -> CipherSuite:
    """A suite as `CipherSuite` writes itself."""
    kem, sig, aead, hash_ = text.split("/")
    return CipherSuite(KemId[kem], SigId[sig], AeadId[aead], HashId[hash_])


if __name__ == "__main__":
    main(Lines(sys.stdin, sys.stdout))
