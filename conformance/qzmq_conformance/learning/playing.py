"""One word, played on one connection, without a clock in it.

What the target answers to the last input ends at a fence: the header of a message that is too long in every state, and
the end of the peer's stream behind it. The target reads in order. So what it sends before it answers the fence with
`record_overflow` belongs to the input; and if that answer does not come, the input had ended the session. Nothing is
concluded from a target that is slow.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from qzmq_conformance.case import Failed
from qzmq_conformance.keys import policy
from qzmq_conformance.learning.mealy import Word
from qzmq_conformance.learning.speaking import Speaker, speaker
from qzmq_conformance.learning.specified import CLOSE, END, OVERSIZED, SILENCE
from qzmq_conformance.roles import ClientPeer, ServerPeer
from qzmq_conformance.scene import Scene
from qzmq_conformance.stage import Stage
from qzmq_ref.handshake.configuration import Role
from qzmq_ref.registries import MessageType

FENCE = 2**24
"""Octets of a message that is too long in every state (HS-1, REC-3). It is an input of its own too, `oversized`."""

FENCED = ("alert record_overflow", "sealed_alert record_overflow")

THROUGH_APPLICATION = ("data", CLOSE)
"""Inputs that are answered by way of the target's application, so that the fence must not overtake the answer."""

SOON = 2.0
"""Seconds that the application has. A target that needs more is seen to ignore the input."""

SETTLED = 0.1
"""Seconds that a target has to read what it does not answer before its application closes."""

GAVE_UP = "user_canceled"


class Unanswered(Exception):
    """The target gave up or said nothing in time: the word must be played again, and says nothing of the machine."""


class Ambiguous(Exception):
    """The target answered the same word in two ways."""

    def __init__(self, word: Word, first: str, second: str) -> None:
        super().__init__(f"{' '.join(word)}: first {first}, then {second}")
        self.word, self.first, self.second = word, first, second


@dataclass(frozen=True)
class Setting:
    """What a word is played against: the target's role, the mode, and whether a server asks for a puzzle."""

    role: Role
    mode: str = "hybrid"
    puzzle: bool = False

    @property
    def name(self) -> str:
        """As in the ids of cases."""
        return f"{self.role}-puzzle" if self.puzzle else self.role

    def scene(self, word: Word) -> Scene:
        """One connection; a client's peer can always ask for a puzzle. Tickets would come between the answers."""
        quiet = replace(policy(self.mode), tickets=0)
        retry = self.puzzle or self.role == "client"
        return Scene(self.mode, self.role, retry=retry, policy=quiet, alone=CLOSE in word)


SETTINGS: Mapping[str, Callable[[str], Setting]] = {
    "server": lambda mode: Setting("server", mode),
    "server-puzzle": lambda mode: Setting("server", mode, puzzle=True),
    "client": lambda mode: Setting("client", mode),
}
"""Name -> the setting in a mode. Whether a server asks for a puzzle is up to its policy: two machines."""


@contextmanager
def conversation(stage: Stage, setting: Setting, word: Word) -> Iterator[Conversation]:
    """A fresh connection, up to where the first input can be played."""
    try:
        with setting.scene(word).play(stage) as peer:
            speaking = speaker(peer)
            speaking.begin()
            yield Conversation(speaking, word)
    except (Failed, OSError) as error:
        raise Unanswered(str(error)) from error


@dataclass
class Conversation:
    """The peer's side of one connection."""

    speaker: Speaker[ClientPeer] | Speaker[ServerPeer]
    word: Word

    def play(self, known: Sequence[str]) -> str:
        """The answer to the last input, after all others were answered as is `known`; `Ambiguous` if they are not."""
        *before, last = self.word
        for position, (symbol, output) in enumerate(zip(before, known, strict=True)):
            self.speaker.say(symbol)
            expected = [] if output == SILENCE else output.split(", ")
            found = self._outputs(len(expected))
            if found != expected:
                raise Ambiguous(self.word[: position + 1], output, ", ".join(found))
        if last == CLOSE and (not known or known[-1] == SILENCE):
            self._settle()
        if last != OVERSIZED:
            self.speaker.say(last)
        if last in THROUGH_APPLICATION:
            self._await()
        self._fence()
        outputs = self._outputs()
        if last != OVERSIZED and outputs and outputs[-1] in FENCED:
            outputs.pop()
        else:
            outputs.append(END)
        return ", ".join(outputs) or SILENCE

    def _outputs(self, most: int | None = None) -> list[str]:
        """The next outputs, as many as asked for, or all until the end of the connection."""
        found: list[str] = []
        while most is None or len(found) < most:
            message = self.speaker.peer.link.peek(self.speaker.peer.binding)
            if message is None:
                return found if most is None else [*found, END]
            found.append(self.speaker.hear(message))
            if GAVE_UP in found[-1] and CLOSE not in self.word:
                raise Unanswered("the target gave up waiting")
        return found

    def _settle(self) -> None:
        """The end of the application takes another way to the target than messages: let it not overtake one that had
        no answer. If there is a session, its application is asked whether all has arrived."""
        if not self.speaker.established:
            time.sleep(SETTLED)
            return
        self.speaker.say("data")
        if (message := self._await()) and message[0] == MessageType.DATA:
            self.speaker.hear(message)

    def _await(self) -> bytes | None:
        """The next message, left where it is; None if there is none soon."""
        peer = self.speaker.peer
        patience, peer.link.patience = peer.link.patience, min(SOON, peer.link.patience)
        try:
            return peer.link.peek(peer.binding)
        except Failed:
            return None
        finally:
            peer.link.patience = patience

    def _fence(self) -> None:
        peer = self.speaker.peer
        peer.link.send(peer.header(FENCE))
        with contextlib.suppress(OSError):  # the target may have closed already
            peer.link.finish_sending()


def play(stage: Stage, setting: Setting, word: Word, known: Sequence[str]) -> str:
    """The answer to the last input of a word on a fresh connection, where those to the others are known."""
    with conversation(stage, setting, word) as talk:
        return talk.play(known)
