"""The Contexts of the reference's adapter: plain ones, secured ones, and those with a ZAP handler (RFC 27)."""

from __future__ import annotations

import threading
from typing import TypeAlias

import zmq

import qzmq_ref

ENDPOINT = "inproc://zeromq.zap.01"
Context: TypeAlias = zmq.Context[zmq.Socket[bytes]]


class Contexts:
    """One of each kind, made at first use."""

    def __init__(self) -> None:
        self._made: dict[tuple[bool, bool], Context] = {}
        self._judges: list[Judge] = []

    def get(self, *, secured: bool, judged: bool) -> Context:
        """The one of this kind; where there is a handler, every socket asks it."""
        if (secured, judged) not in self._made:
            context = self._made[secured, judged] = qzmq_ref.Context() if secured else zmq.Context()
            if judged:
                self._judges.append(Judge(context))
        return self._made[secured, judged]

    def close(self) -> None:
        """Ends them all, once their sockets are closed."""
        for judge in self._judges:
            judge.close()
        for context in self._made.values():
            context.term()


class Judge:
    """A handler, in a thread of its own, that answers each question as the domain in it says."""

    def __init__(self, context: Context) -> None:
        self._handler = context.socket(zmq.ROUTER)
        self._handler.bind(ENDPOINT)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the handler."""
        self._ending.set()
        self._thread.join()

    def _serve(self) -> None:
        with self._handler:
            while not self._ending.is_set():
                if self._handler.poll(100):
                    self._answer()

    def _answer(self) -> None:
        client, delimiter, version, number, domain, *_ = self._handler.recv_multipart()
        if domain != b"silent":
            user = b"judged" if domain == b"200" else b""
            self._handler.send_multipart([client, delimiter, version, number, domain, b"as told", user, b""])
