"""The peer in its two roles where the server asks for a puzzle first (spec/puzzle.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from qzmq_conformance.roles import ClientPeer, ServerPeer
from qzmq_ref.handshake import puzzle
from qzmq_ref.handshake.messages import ClientHello, HelloRetry, parse_body
from qzmq_ref.handshake.puzzle import PuzzleSolution
from qzmq_ref.policy import MAX_DIFFICULTY
from qzmq_ref.registries import VERSION, MessageType

SECOND = "SecondClientHello"
"""What a deviation calls the ClientHello that carries the solution."""


class RetriedClientPeer(ClientPeer):
    """The client, against a target whose policy is to ask."""

    states: ClassVar[tuple[str, ...]] = ("start", "wait_second_client_hello", "wait_client_key", "established")
    retry: HelloRetry
    solve: Callable[[bytes, bytes, int], int] = staticmethod(puzzle.solve)

    def steps(self) -> tuple[Callable[[], None], ...]:
        return self.greet, self.take_puzzle, self.exchange_hellos, self.exchange_keys

    def speak(self, state: str) -> None:
        if state == "wait_second_client_hello":
            self.send_second_hello()
        else:
            super().speak(state)

    def take_puzzle(self) -> None:
        """ClientHello out, HelloRetry in, checked as a client must."""
        self.send_client_hello()
        self.retry = self.read(MessageType.HELLO_RETRY)
        self.session = puzzle.accept_hello_retry(self.session, self.retry)

    def exchange_hellos(self) -> None:
        """The second ClientHello out, ServerHello in."""
        self.send_second_hello()
        self.encapsulate(self.read_server_hello())

    def send_second_hello(self) -> None:
        """The first ClientHello with the solution (PUZ-4); what was sent early is undetermined."""
        first: ClientHello = parse_body(MessageType.CLIENT_HELLO, self.session.client_hello[1:])
        base, cookie = puzzle.without_early(first), self.retry.cookie
        solution = self.solve(cookie, puzzle.puzzled(base), self.retry.difficulty)
        answer, _ = self.shape(PuzzleSolution(cookie, solution))
        second = puzzle.with_solution(base, answer)
        self.session = self.session.but(early=b"")
        self.send_hello(self.shape(second, authenticate=self.bind, name=SECOND)[1])


class RetryingServerPeer(ServerPeer):
    """The server that asks, against a target that is the client."""

    states: ClassVar[tuple[str, ...]] = (
        "wait_server_hello",
        "wait_second_server_hello",
        "wait_finished",
        "established",
    )
    retry: HelloRetry

    def steps(self) -> tuple[Callable[[], None], ...]:
        return self.begin, self.exchange_puzzle, self.answer_hello, self.send_finished

    def speak(self, state: str) -> None:
        if state == "wait_server_hello":
            self.send_hello_retry()
        else:
            super().speak("wait_server_hello" if state == "wait_second_server_hello" else state)

    def begin(self) -> None:
        """Greetings both ways, ClientHello in; it is only kept."""
        self.greet()
        message: ClientHello = self.read(MessageType.CLIENT_HELLO)
        self.session = puzzle.make_puzzle(self.session, message)

    def exchange_puzzle(self) -> None:
        """HelloRetry out, the second ClientHello in, checked as a server must."""
        self.send_hello_retry()
        message: ClientHello = self.parse(MessageType.CLIENT_HELLO, *self.read_early())
        self.session = puzzle.check_solution(self.session, message)
        self.take_hello(message)

    def send_hello_retry(self) -> None:
        """The puzzle."""
        configuration = self.session.configuration
        self.retry, octets = self.shape(HelloRetry(VERSION, self.session.cookie, configuration.policy.difficulty))
        asked = replace(configuration.policy, difficulty=min(self.retry.difficulty, MAX_DIFFICULTY))
        self.session = self.session.but(cookie=self.retry.cookie, configuration=replace(configuration, policy=asked))
        self.send_message(bytes([MessageType.HELLO_RETRY]) + octets)
