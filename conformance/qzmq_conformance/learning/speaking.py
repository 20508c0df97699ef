"""From input symbols to messages, and from messages to output symbols, for the bare peer in either role.

A message is valid wherever the peer has what it takes: the keys, the puzzle, the open offer. Otherwise it is well
formed, and protected with the keys that the target has, or would have next.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from secrets import token_bytes
from typing import Generic, TypeVar

from qzmq_conformance import rekeying
from qzmq_conformance.closing import CLOSE_NOTIFY
from qzmq_conformance.handshake import send_sample
from qzmq_conformance.learning.specified import CLOSE
from qzmq_conformance.peer import Peer, describe
from qzmq_conformance.retried import RetriedClientPeer, RetryingServerPeer
from qzmq_conformance.roles import ClientPeer, ServerPeer
from qzmq_conformance.scene import frame
from qzmq_conformance.target import token
from qzmq_conformance.trace import name_of
from qzmq_ref.alerts import Alert
from qzmq_ref.handshake import puzzle
from qzmq_ref.handshake.messages import SEALED, ClientHello, KeyUpdate, KeyUpdateKind, build
from qzmq_ref.handshake.puzzle import PuzzleSolution
from qzmq_ref.handshake.session import Session
from qzmq_ref.registries import VERSION, AlertDescription, CipherSuite, MessageType

P = TypeVar("P", bound=Peer)
Act = Callable[[], object]
COOKIE = 32


class Speaker(ABC, Generic[P]):
    """What both roles share."""

    def __init__(self, peer: P) -> None:
        self.peer = peer
        self.established = False
        self._echo = b""

    @abstractmethod
    def begin(self) -> None:
        """Everything before the first input: the greetings, and the ClientHello of a client."""

    def say(self, symbol: str) -> None:
        """Sends the message of this symbol, or closes the target's application."""
        kind = symbol.partition("-")[0]
        valid = self._common.get(symbol) or self._valid().get(symbol)
        if valid is not None:
            valid()
        else:
            send_sample(self.peer, MessageType[kind.upper()])

    def hear(self, message: bytes) -> str:
        """Takes `message`, which is the next one, and answers with its symbol."""
        if not message or message[0] not in list(MessageType):
            return describe(*self.peer.read_message())
        kind = MessageType(message[0])
        name = kind.name.lower()
        if kind in SEALED and self.peer.reader is None:
            self.peer.read_message()
            return f"{name} without a key"
        try:
            return self._hear(kind, name)
        except Alert as alert:
            return f"{name} that a peer answers with {name_of(AlertDescription, alert.description)}"

    @abstractmethod
    def _valid(self) -> Mapping[str, Act]:
        """What this role can say validly now, besides what is the same in both."""

    @abstractmethod
    def _heard(self) -> Mapping[MessageType, Act]:
        """How this role takes the messages that move it on."""

    def _hear(self, kind: MessageType, name: str) -> str:
        if kind is MessageType.DATA:
            return self._hear_data()
        take = self._heard().get(kind)
        if take is not None:
            take()
            return "key_update-offer" if kind is MessageType.KEY_UPDATE else name
        found, body = self.peer.read_message()
        return describe(found, body) if name.endswith("alert") else name

    @property
    def _common(self) -> Mapping[str, Act]:
        return {
            CLOSE: self.peer.close_application,
            "data": self._say_data,
            "sealed_alert-close_notify": lambda: self._seal(MessageType.SEALED_ALERT, CLOSE_NOTIFY),
            "key_update-request": self._request,
        }

    def _seal(self, kind: MessageType, plaintext: bytes) -> None:
        self.peer.send_sealed_anyway(kind, plaintext)

    def _say_data(self) -> None:
        self._echo = frame(token())
        self._seal(MessageType.DATA, self._echo)

    def _request(self) -> None:
        request = KeyUpdate(KeyUpdateKind.REQUEST, self.peer.session.generation + 1, b"")
        self._seal(MessageType.KEY_UPDATE, build(request))

    def _hear_data(self) -> str:
        """The application returns what it was given, in any number of records."""
        octets = self.peer.read_data()
        if not octets:
            return "empty_data"
        while len(octets) < len(self._echo):
            octets += self.peer.read_data()
        return "data" if octets == self._echo else "data of its own"


class ClientSpeaker(Speaker[ClientPeer]):
    """The client, against a target that is the server."""

    _retried = False

    def begin(self) -> None:
        self.peer.greet()

    def _valid(self) -> Mapping[str, Act]:
        valid: dict[str, Act] = {
            "client_hello": self.peer.send_client_hello,
            "client_hello-solved": self._solve,
        }
        if self.peer.session.secrets is not None:
            valid["client_key"] = self.peer.send_client_key
        if self.established:
            valid["key_update-offer"] = lambda: rekeying.send_offer(self.peer)
        return valid

    def _heard(self) -> Mapping[MessageType, Act]:
        return {
            MessageType.HELLO_RETRY: self._take_puzzle,
            MessageType.SERVER_HELLO: lambda: self.peer.encapsulate(self.peer.read_server_hello()),
            MessageType.FINISHED: self._finish,
            MessageType.KEY_UPDATE_ACK: lambda: rekeying.take_ack(self.peer),
        }

    def _solve(self) -> None:
        """The solution of the target's puzzle, or one that nobody asked for."""
        if self._retried and isinstance(self.peer, RetriedClientPeer):
            self.peer.send_second_hello()
            return
        hello = ClientHello(VERSION, token_bytes(32), self._suites, ())
        self.peer.send_hello(build(puzzle.with_solution(hello, PuzzleSolution(token_bytes(COOKIE), 0))))

    @property
    def _suites(self) -> tuple[CipherSuite, ...]:
        return self.peer.session.configuration.policy.suites

    def _take_puzzle(self) -> None:
        retry = self.peer.read(MessageType.HELLO_RETRY)
        self.peer.session = puzzle.accept_hello_retry(self.peer.session, retry)
        if isinstance(self.peer, RetriedClientPeer):
            self.peer.retry, self._retried = retry, True

    def _finish(self) -> None:
        self.peer.read_finished()
        self.established = True


class ServerSpeaker(Speaker[ServerPeer]):
    """The server, against a target that is the client. It may ask for a puzzle first."""

    _asked = False
    _answered = False
    _offered = False
    _before: Session
    _hello: ClientHello

    def begin(self) -> None:
        self.peer.greet()
        self._hello = self.peer.read(MessageType.CLIENT_HELLO)
        self._before = self.peer.session
        self.peer.take_hello(self._hello)

    def _valid(self) -> Mapping[str, Act]:
        valid: dict[str, Act] = {}
        if not self._asked and not self._answered:
            valid["hello_retry"] = self._ask
        if not self._answered:
            valid["server_hello"] = self._answer
        if self.peer.sealer is not None and not self.established:
            valid["finished"] = self._finish
        if self._offered:
            valid["key_update_ack"] = self._acknowledge
        return valid

    def _heard(self) -> Mapping[MessageType, Act]:
        return {
            MessageType.CLIENT_HELLO: self._take_second_hello,
            MessageType.CLIENT_KEY: self.peer.read_client_key,
            MessageType.KEY_UPDATE: self._take_offer,
        }

    def _ask(self) -> None:
        self._asked = True
        self.peer.session = puzzle.make_puzzle(self._before, self._hello)
        assert isinstance(self.peer, RetryingServerPeer)
        self.peer.send_hello_retry()

    def _take_second_hello(self) -> None:
        hello: ClientHello = self.peer.read(MessageType.CLIENT_HELLO)
        self.peer.session = puzzle.check_solution(self.peer.session, hello)
        self.peer.take_hello(hello)

    def _answer(self) -> None:
        self._answered = True
        self.peer.send_server_hello()

    def _finish(self) -> None:
        self.established = True
        self.peer.send_finished()

    def _take_offer(self) -> None:
        rekeying.take_offer(self.peer)
        self._offered = True

    def _acknowledge(self) -> None:
        self._offered = False
        rekeying.send_ack(self.peer)


def speaker(peer: Peer) -> Speaker[ClientPeer] | Speaker[ServerPeer]:
    """The speaker for the peer's role."""
    if isinstance(peer, ClientPeer):
        return ClientSpeaker(peer)
    assert isinstance(peer, ServerPeer)
    return ServerSpeaker(peer)
