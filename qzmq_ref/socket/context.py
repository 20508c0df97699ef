"""The Context: owner of the bridge, whose end waits until nothing is left to deliver."""

from __future__ import annotations

from typing import Any, TypeVar

import zmq

from qzmq_ref.bridge.core import Slot

_S = TypeVar("_S", bound="zmq.Socket[Any]", covariant=True)


class SecuredContext(zmq.Context[_S]):
    """A ZeroMQ Context whose sockets speak QZMQ. The bridge's thread starts with the first bind or connect."""

    _instance: Any = None
    _slot: Slot

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        shadowed = self._shadow_obj
        self._slot = shadowed.slot if isinstance(shadowed, SecuredContext) else Slot()

    @property
    def slot(self) -> Slot:
        """Where the sockets find the bridge."""
        return self._slot

    def term(self) -> None:
        """As zmq.Context.term: returns when every message is with the peers' systems, or its linger time is over."""
        super().term()
        self._slot.close()
