"""QZMQ/1, post-quantum security for ZeroMQ: the readable reference.

    import qzmq_ref, zmq
    socket = qzmq_ref.Context.instance().socket(zmq.DEALER)

`Context` and `Socket` are those of pyzmq with QZMQ's security lines, `keypair` makes their keys, `qzmq_ref.asyncio` is
their asyncio form, `qzmq_ref.connection` the protocol without I/O. Names are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qzmq_ref.alerts import Alert, LocalError
    from qzmq_ref.policy import Policy
    from qzmq_ref.socket import Context, Socket, keypair

__all__ = ["Alert", "Context", "LocalError", "Policy", "Socket", "keypair"]

_HOMES = {"Alert": "alerts", "LocalError": "alerts", "Policy": "policy"}


def __getattr__(name: str) -> Any:
    """Load a public name from the module it lives in (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOMES.get(name, 'socket')}"), name)
