"""The reference as a target with one fault in it: `python -m tests.faulty_reference NAME`.

The suite's own seeded faults, and those of a target that is worse than careless: for the tests of the runner.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping

from qzmq_conformance.strength.careless import TARGET, put_in
from qzmq_conformance.strength.table import Fault, faults

SCAFFOLD = "qzmq_conformance.scaffold"
_LIARS = (
    Fault(
        "none", "", "qzmq_ref.z85", "from __future__", "from __future__", case="handshake/hybrid/server/whole-mutual"
    ),
    Fault(
        "in-the-clear",
        "",
        TARGET,
        'security = request["security"]',
        "security = None",
        case="patterns/hybrid/PUSH-PULL/binds-as-server",
    ),
    Fault("dead", "", SCAFFOLD, 'verb = self._verbs.get(request["verb"])', "raise SystemExit"),
    Fault("deaf", "", SCAFFOLD, 'self._emit({"id": request["id"], **answer})', "pass"),
)
FAULTS: Mapping[str, Fault] = {**faults(), **{fault.name: fault for fault in _LIARS}}


def main(name: str) -> None:
    """Be that target."""
    put_in(FAULTS[name])
    importlib.import_module(TARGET).main()


if __name__ == "__main__":
    main(sys.argv[1])
