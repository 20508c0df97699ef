"""The implementation under test as a black box: application sockets inside a process, opened by way of its adapter."""

from __future__ import annotations

import queue
import re
import secrets
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Self

from qzmq_conformance.capabilities import Capabilities, Capability, Description, needs
from qzmq_conformance.channel import Channel
from qzmq_conformance.failure import Failed, Undriven, Unsupported
from qzmq_conformance.introduction import introduce
from qzmq_conformance.security import Security

REFERENCE = (sys.executable, "-m", "qzmq_conformance.reference")
SEND_WITHIN = 5.0  # seconds a message waits for a peer before it is dropped
EVENT_WITHIN = 2.0  # seconds until something that has happened must be told
PAUSE = 0.004  # seconds between two looks at what has reached the applications

Options = Mapping[str, str | int]


class Message(NamedTuple):
    """What reached an application: the parts, and the peer's properties by name."""

    parts: tuple[bytes, ...]
    properties: Mapping[str, str]


_TOKEN = re.compile(rb"known-octets-[0-9a-f]{24}")


def token() -> bytes:
    """Application octets that occur nowhere else: 37 octets to look for in the application and on the wire."""
    return b"known-octets-" + secrets.token_hex(12).encode()


class Target:
    """A running implementation. Context manager; leaving it ends the process.

    A thread of its own takes what has reached the applications, and sends what waits for a peer.
    """

    def __init__(self, command: Sequence[str] = REFERENCE) -> None:
        self.channel = Channel(command)
        self._description: Description | None = None
        self._introducing = threading.Lock()
        self._collecting = threading.Lock()
        self._looking = threading.Lock()
        self._applications: dict[int, Application] = {}
        self._tokens: set[bytes] = set()
        self._ending = threading.Event()
        self._postman = threading.Thread(target=self._deliver, daemon=True)
        self._postman.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._postman.join()
        self.channel.close()

    @property
    def description(self) -> Description:
        """Name, version and capabilities, after the adapter has shown that it can say no."""
        with self._introducing:
            self._description = self._description or introduce(self.channel)
            return self._description

    def need(self, *capabilities: Capability) -> None:
        """`Unsupported` unless the adapter claims all of them. The adapter's claim decides, never what it does."""
        if lacking := sorted(set(capabilities) - self.description.capabilities):
            raise Unsupported(", ".join(map(str, lacking)))

    def open(
        self,
        pattern: str,
        endpoint: str = "tcp://127.0.0.1:*",
        *,
        bind: bool,
        security: Security | None,
        options: Options | None = None,
        features: Iterable[str] = (),
        echo: bool = False,
    ) -> Application:
        """A new socket, bound or connected; without `security` plain ZMTP NULL. `echo`: it returns what it receives.

        `options` are libzmq's, by name: a number, or octets as text. `features` will be used beside those that follow
        from the security.
        """
        needed = needs(pattern, security) | {Capability("feature", name) for name in features}
        self.need(*needed)
        with self._collecting:  # what reaches a socket at once must find it here
            answer = self.channel.ask(
                "open",
                pattern=pattern,
                endpoint=endpoint,
                bind=bind,
                security=security.to_json() if security else None,
                options=dict(options or {}),
                features=_features(needed),
                wants=("socket", "endpoint"),
            )
            application = Application(self, answer["socket"], answer["endpoint"], echo=echo, stream=pattern == "STREAM")
            self._applications[application.socket] = application
        return application

    def reached(self, octets: bytes) -> bool:
        """Whether a message that contained this `token` reached any application socket of the target."""
        return octets in self._tokens

    def collect(self) -> None:
        """Takes what has reached the applications up to now."""
        with self._collecting:
            if not self._applications:
                return
            for message in self._received():
                parts = tuple(map(bytes.fromhex, message["parts"]))
                self._take(message["socket"], Message(parts, message.get("properties", {})))

    def vector(self, kind: str, operation: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the adapter answers to one operation on one test vector."""
        self.need(Capability("vector", kind))
        return self.channel.ask("vector", kind=kind, operation=operation, input=given)

    def look(self) -> None:
        """Takes what has happened on all sockets up to now, for their applications."""
        with self._looking:
            answer = self.channel.ask("events", wants=("events", "counters"))
            for event in answer["events"]:
                if application := self._applications.get(event["socket"]):
                    application.happened.append(event)
            for counted in answer["counters"]:
                if application := self._applications.get(counted["socket"]):
                    application.counters.update({name: counted[name] for name in counted.keys() - {"socket"}})

    def logged(self, *words: str, within: float = 1.0) -> bool:
        """Whether a line with all these words comes up on the process's standard error in time."""
        self.need(Capability("feature", "log"))
        return self.channel.logged(*words, within=within)

    def close(self, socket: int) -> None:
        """Closes an application socket, after a last look at what has reached it."""
        self.collect()
        self._applications.pop(socket, None)
        self.channel.ask("control", socket=socket, action="close")

    def _received(self) -> Sequence[Mapping[str, Any]]:
        try:
            messages: Sequence[Mapping[str, Any]] = self.channel.ask("recv", wants=("messages",))["messages"]
        except Failed as failed:
            raise Undriven(failed.seen) from None
        return messages

    def _take(self, socket: int, message: Message) -> None:
        for part in message.parts:
            self._tokens.update(_TOKEN.findall(part))
        if application := self._applications.get(socket):
            application.take_in(message)

    def _deliver(self) -> None:
        try:
            while not self._ending.wait(PAUSE):
                self.collect()
                for application in list(self._applications.values()):
                    application.flush()
        except Undriven as error:
            self.channel.give_up(str(error))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            self.channel.give_up(f"the answer to recv is none of the protocol: {error!r}")


def _features(needed: Capabilities) -> list[str]:
    return sorted(each.name for each in needed if each.kind == "feature")


class Application:
    """One application socket inside a target. Context manager; leaving it closes the socket."""

    def __init__(self, target: Target, socket: int, endpoint: str, *, echo: bool = False, stream: bool = False) -> None:
        self.target = target
        self.socket = socket
        self.endpoint = endpoint
        self._echo = echo
        self._stream = stream
        self._closed = False
        self._inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._outbox: deque[tuple[float, tuple[bytes, ...]]] = deque()
        self._sending = threading.Lock()
        self.happened: deque[Mapping[str, Any]] = deque()
        self.counters: Counter[str] = Counter()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of a tcp:// endpoint."""
        host, _, port = self.endpoint.removeprefix("tcp://").rpartition(":")
        return host, int(port)

    def begin(self) -> None:
        """Tells the adapter that another case begins on this socket."""
        self.target.channel.ask("control", socket=self.socket, action="case")

    def rekey(self, *, generation: bool) -> None:
        """Has every session of the socket take a step, or ask for a new generation."""
        self._control("rekey", generation=generation)

    def resume(self, *, ticket: bool) -> None:
        """Whether the next connection may offer a ticket."""
        self._control("resume", ticket=ticket)

    def export(self, label: str, context: bytes, length: int) -> bytes:
        """Keying material of the socket's one session."""
        answer = self._control("export", wants=("octets",), label=label, context=context.hex(), length=length)
        return bytes.fromhex(answer["octets"])

    def await_event(self, name: str, within: float = EVENT_WITHIN) -> Mapping[str, Any]:
        """The next event of that name, which is told once; `Failed` if none comes in time."""
        deadline = time.monotonic() + within
        while True:
            self.target.look()
            for event in list(self.happened):
                if event["event"] == name:
                    self.happened.remove(event)
                    return event
            if time.monotonic() > deadline:
                raise Failed(f"{list(self.happened)} among the events within {within} s", f"an event {name}")
            time.sleep(0.01)

    def send(self, *parts: bytes, within: float = SEND_WITHIN) -> None:
        """Hands a message to the application socket, which sends it as soon as its pattern allows, if that is soon."""
        self._outbox.append((time.monotonic() + within, parts))
        self.flush()

    def flush(self) -> None:
        """Sends what waits, in order; what the pattern still refuses is kept until its time is over."""
        if not self._outbox:
            return
        with self._sending:
            while self._outbox:
                deadline, parts = self._outbox[0]
                if not self._sent(parts) and time.monotonic() < deadline:
                    return
                self._outbox.popleft()

    def take_in(self, message: Message) -> None:
        """A message has reached the application."""
        self._inbox.put(message)
        if self._echo and (message.parts[-1] or not self._stream):  # STREAM's are notifications
            self.send(*message.parts, within=0)

    def receive(self, within: float = 5.0) -> tuple[bytes, ...]:
        """The parts of the next message that reached the application; `Failed` if none comes in time."""
        return self.take(within).parts

    def take(self, within: float = 5.0) -> Message:
        """The next message that reached the application; `Failed` if none comes in time."""
        try:
            return self._inbox.get(timeout=within)
        except queue.Empty:
            raise Failed(f"no message reached the application within {within} s") from None

    def properties(self) -> Mapping[str, str]:
        """What the application can read of the peer in the next message that reached it."""
        self.target.need(Capability("feature", "properties"))
        return self.take().properties

    def close(self) -> None:
        """Closes the socket; closing it again does nothing."""
        if not self._closed:
            self._closed = True
            self.target.close(self.socket)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _control(self, action: str, wants: Sequence[str] = (), **needed: object) -> Mapping[str, Any]:
        return self.target.channel.ask("control", socket=self.socket, action=action, wants=wants, **needed)

    def _sent(self, parts: tuple[bytes, ...]) -> bool:
        """Whether the message is gone; one that the socket refuses for good is."""
        message = [part.hex() for part in parts]
        try:
            answer = self.target.channel.ask("send", socket=self.socket, parts=message, wants=("sent",))
        except Failed:
            return True
        return bool(answer["sent"])
