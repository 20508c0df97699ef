"""What comes before every case: does the adapter say `unsupported` when it must? Then its description is worth reading.

An adapter that answers anything to anything would pass cases by accident, or have them skipped. So it is asked for what
nobody can have; without an honest answer there is no verdict.
"""

from __future__ import annotations

import secrets

from qzmq_conformance.capabilities import Description, Misdescribed
from qzmq_conformance.channel import Channel
from qzmq_conformance.failure import Undriven


def introduce(channel: Channel) -> Description:
    """Who the adapter is, after it has refused a verb, vectors and a feature that nobody has; `Undriven` otherwise."""
    nonsense = f"nonsense_{secrets.token_hex(4)}"
    _expect_refusal(channel, f"the verb {nonsense}", nonsense)
    description = _describe(channel)
    _expect_refusal(channel, f"vectors of the kind {nonsense}", "vector", kind=nonsense, operation=nonsense, input={})
    _expect_refusal(
        channel,
        f"the feature {nonsense}",
        "open",
        pattern=next((each.name for each in sorted(description.capabilities) if each.kind == "pattern"), "PAIR"),
        endpoint="tcp://127.0.0.1:*",
        bind=True,
        security=None,
        options={},
        features=[nonsense],
    )
    return description


def _describe(channel: Channel) -> Description:
    try:
        return Description.of(channel.answer("describe"))
    except Misdescribed as error:
        raise Undriven(f"the adapter does not describe itself: {error}") from None


def _expect_refusal(channel: Channel, asked: str, verb: str, **arguments: object) -> None:
    answer = channel.answer(verb, **arguments)
    if not isinstance(answer.get("unsupported"), str):
        raise Undriven(
            f"asked for {asked}, which does not exist, the adapter answers {dict(answer)} instead of unsupported: "
            "nothing that it says of itself can be relied on"
        )
