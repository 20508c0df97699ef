"""The peer's sending direction: records that are validly protected, whatever their header says."""

from __future__ import annotations

from dataclasses import dataclass

from qzmq_ref.records import HEADER, STREAMS, KeyChain, TrafficKey
from qzmq_ref.registries import CipherSuite


@dataclass
class Sealer:
    """The peer's sending direction. Every field of the header can be set; only an honest record moves the sequence."""

    chain: KeyChain
    key: TrafficKey
    seq: int = 0

    def install(self, secret: bytes, generation: int) -> None:
        """Starts a generation."""
        self.key = self.chain.first(secret, generation)

    def step(self) -> None:
        """Uses the next traffic key."""
        self.key = self.chain.next_step(self.key)

    def seal(
        self,
        kind: int,
        plaintext: bytes,
        *,
        flags: int = 0,
        epoch: int | None = None,
        stream_id: int | None = None,
        seq: int | None = None,
    ) -> bytes:
        """A record, validly protected under the current key whatever its header says."""
        stream_id = STREAMS.get(kind, 0) if stream_id is None else stream_id
        number = self.seq if seq is None else seq
        header = HEADER.pack(kind, flags, self.key.epoch if epoch is None else epoch, stream_id, number)
        if seq is None:
            self.seq += 1
        return header + self.key.aead.seal(self.key.nonce(stream_id, number), plaintext, header)


def sealer(suite: CipherSuite, secret: bytes, generation: int) -> Sealer:
    """The sending direction of a peer, from a traffic secret."""
    chain = KeyChain(suite)
    return Sealer(chain, chain.first(secret, generation))
