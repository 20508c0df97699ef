"""Test vectors of QZMQ/1, computed from a seed: one module for each kind, `files` for how they lie on disk."""
