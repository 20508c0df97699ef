"""What holds for every test."""

from __future__ import annotations

from hypothesis import settings

# A deadline measures the machine: on a busy one it fails tests that are right.
settings.register_profile("qzmq", deadline=None)
settings.load_profile("qzmq")
