"""`qzmq flood`: what strangers' ClientHellos cost a server, without and with the puzzle, and what its sessions notice.

The attacker connects, sends a greeting and a ClientHello that it recorded once, waits for the first octets of the
answer and goes. Without the puzzle the answer is a ServerHello, signed for him; with it, a HelloRetry (PUZ-1).
Meanwhile an established session sends at a steady rate.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from statistics import median, quantiles

import zmq
from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

import qzmq_ref
from qzmq_interop.spawned import spawned
from qzmq_ref.connection import Configuration, Connection
from qzmq_ref.metadata import Property
from qzmq_ref.policy import Policy
from qzmq_ref.z85 import decode
from qzmq_ref.zmtp import ZmtpBinding

RATE, SIZE = 500, 1024
"""Messages a second of the established session, and their octets."""

GREETING = 64


@dataclass(frozen=True)
class Seen:
    """One phase: ClientHellos answered a second, the server's CPU for each (ms), and the session's messages."""

    hellos: float
    cpu_ms: float
    delivered: float
    delay_ms: float
    delay_99_ms: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print. Returns 0."""
    options = _parser().parse_args(arguments)
    phases = {
        "quiet": ("never", 0),
        "flood": ("never", options.attackers),
        "flood, puzzle": ("always", options.attackers),
    }
    seen: dict[str, list[Seen]] = {name: [] for name in phases}
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("flood", total=options.rounds * len(phases))
        for _ in range(options.rounds):
            for name, (retry, attackers) in phases.items():
                seen[name].append(measure(retry, attackers, options.seconds))
                progress.advance(task)
    medians = {name: _median(rounds) for name, rounds in seen.items()}
    _show(medians, Console() if sys.stdout.isatty() else Console(width=120))
    if options.json:
        found = {name: asdict(figures) for name, figures in medians.items()}
        options.json.write_text(json.dumps({"cores": os.cpu_count(), "phases": found}, indent=1) + "\n")
    return 0


def measure(retry: str, attackers: int, seconds: float) -> Seen:
    """One phase of `seconds` with a fresh server."""
    public, secret = qzmq_ref.keypair()
    with spawned(_serve, retry, secret) as pipe:
        port: int = pipe.recv()
        context = qzmq_ref.Context()
        push = context.socket(zmq.PUSH)
        push.qzmq_serverkey, push.qzmq_policy = public, _policy("never")
        push.connect(f"tcp://127.0.0.1:{port}")
        push.send(b"established?")
        pipe.recv()
        stop = time.monotonic() + seconds
        counts = [0] * attackers
        hello = recorded(public)
        threads = [threading.Thread(target=_attack, args=(port, hello, stop, counts, i)) for i in range(attackers)]
        for thread in threads:
            thread.start()
        sent = _pace(push, stop)
        for thread in threads:
            thread.join()
        push.send(b"enough")
        cpu, delays = pipe.recv()
        push.close()
        context.term()
    hellos = sum(counts)
    delays = delays or [0.0]
    return Seen(
        hellos=hellos / seconds,
        cpu_ms=cpu / hellos * 1000 if hellos else 0.0,
        delivered=len(delays) / sent,
        delay_ms=median(delays) * 1000,
        delay_99_ms=quantiles(delays, n=100)[98] * 1000 if len(delays) > 1 else 0.0,
    )


def recorded(server_public: bytes) -> bytes:
    """A client's greeting and ClientHello, as anybody can record them."""
    told = (Property(b"Socket-Type", b"PUSH"),)
    pins = frozenset({decode(server_public)})
    configuration = Configuration("client", _policy("never"), server_pins=pins, metadata=told, socket_type=b"PUSH")
    client = Connection(configuration, ZmtpBinding("client"), entropy=os.urandom, clock=time.monotonic)
    greeting = client.data_to_send()
    client.receive(ZmtpBinding("server").greeting())
    return greeting + client.data_to_send()


def _policy(retry: str) -> Policy:
    return replace(Policy.preset("default"), retry=retry, difficulty=12)  # type: ignore[arg-type]


def _attack(port: int, hello: bytes, stop: float, counts: list[int], index: int) -> None:
    """Hello after hello; one counts when its answer has begun."""
    while time.monotonic() < stop:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as stranger:
            stranger.sendall(hello)
            received = 0
            while received <= GREETING and (octets := stranger.recv(65536)):
                received += len(octets)
            counts[index] += received > GREETING


def _pace(push: zmq.Socket[bytes], stop: float) -> int:
    """Send at RATE until `stop`; each message carries the time at which it was sent."""
    sent, due = 0, time.monotonic()
    while due < stop:
        time.sleep(max(0.0, due - time.monotonic()))
        push.send(repr(time.monotonic()).encode().ljust(SIZE))
        sent, due = sent + 1, due + 1 / RATE
    return sent


def _serve(retry: str, secret: bytes, pipe: Pipe) -> None:
    """A PULL that says how late each message was, and what CPU the process used between first and last one."""
    context = qzmq_ref.Context()
    pull = context.socket(zmq.PULL)
    pull.qzmq_secretkey, pull.qzmq_policy, pull.rcvtimeo = secret, _policy(retry), 30_000
    pipe.send(pull.bind_to_random_port("tcp://127.0.0.1"))
    pull.recv()
    pipe.send("yes")
    began, delays = time.process_time(), []
    while (message := pull.recv()) != b"enough":
        delays.append(time.monotonic() - float(message))
    pipe.send((time.process_time() - began, delays))
    pull.close(linger=0)
    context.term()


def _median(rounds: Sequence[Seen]) -> Seen:
    return Seen(*(median(column) for column in zip(*(asdict(each).values() for each in rounds), strict=True)))


def _show(medians: dict[str, Seen], console: Console) -> None:
    table = Table(box=box.MARKDOWN)
    for heading in ("", "hellos/s", "server CPU ms each", "delivered", "delay ms", "99 %"):
        table.add_column(heading, justify="right")
    for name, seen in medians.items():
        figures = (f"{seen.hellos:,.0f}", f"{seen.cpu_ms:.2f}", f"{seen.delivered:.1%}")
        table.add_row(name, *figures, f"{seen.delay_ms:.2f}", f"{seen.delay_99_ms:.2f}")
    console.print(table)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="qzmq flood", description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each phase (default 4)")
    parser.add_argument("--rounds", type=int, default=3, help="medians of so many (default 3)")
    parser.add_argument("--attackers", type=int, default=4, help="connections at a time (default 4)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    return parser
