"""Checks every vector of QZMQ/1 on its own: nothing of the reference is imported, and nothing of it is trusted.

    cd vectors && python -m consumer [--json] [--every N] [FILE ...]

Structures, labels and rules are written down here a second time, from the pages of the specification, a module each.
`cryptography` does what it can; kyber-py and dilithium-py repeat what is drawn from stated randomness. A test that
is valid must pass to its last octet; one that is invalid must be refused for the stated requirement, with the stated
alert.
"""

from .files import CHECKS, consume, judge

__all__ = ["CHECKS", "consume", "judge"]
