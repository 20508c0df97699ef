"""All scenarios, each played by DEALERs, in every mode. The columns of the matrix stand in this order."""

from __future__ import annotations

from qzmq_interop.matrix import sessions, trust

SCENARIOS = (*trust.SCENARIOS, *sessions.SCENARIOS)
