"""Prometheus metrics of a Context's sockets, by choice: `pip install 'qzmq-ref[metrics]'`, then

    qzmq_ref.metrics.serve(context)                  # http://127.0.0.1:9090/metrics

before its sockets bind or connect. What happens rarely is counted by prometheus_client; octets, messages and times are
plain integers, one set per Context, which only its bridge's thread writes and a scrape reads.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter as Counted
from collections.abc import Iterator
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from qzmq_ref.alerts import LocalError
from qzmq_ref.bridge.core import Slot
from qzmq_ref.bridge.observer import Direction, Observe, Watch
from qzmq_ref.bridge.report import alert_name
from qzmq_ref.connection import Configuration, Ended, Peer
from qzmq_ref.policy import mode_of
from qzmq_ref.registries import AlertDescription

try:
    from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server
    from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
except ImportError as missing:
    raise LocalError("metrics need prometheus_client: pip install 'qzmq-ref[metrics]'") from missing

if TYPE_CHECKING:
    from qzmq_ref.socket import SecuredContext

BOUNDS = (1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0)
"""Upper bounds in seconds of the histogram's buckets: from one record to the most that a handshake may take."""

OPERATIONS = {"sent": "send", "received": "recv"}

AUTHENTICATION = frozenset(
    {
        AlertDescription.ACCESS_DENIED,
        AlertDescription.BAD_CERTIFICATE,
        AlertDescription.CERTIFICATE_EXPIRED,
        AlertDescription.CERTIFICATE_REQUIRED,
        AlertDescription.CERTIFICATE_UNKNOWN,
        AlertDescription.DECRYPT_ERROR,
        AlertDescription.UNKNOWN_CA,
        AlertDescription.UNRECOGNIZED_NAME,
        AlertDescription.UNSUPPORTED_CERTIFICATE,
    }
)
"""Alerts of a handshake that failed because the peer is not who it should be, or cannot prove it."""


class Times:
    """How long something took: a histogram's buckets and their sum."""

    __slots__ = ("buckets", "total")

    def __init__(self) -> None:
        self.buckets = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self.buckets[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds


class Traffic:
    """What one socket type of a Context carried in one direction."""

    __slots__ = ("messages", "octets", "times")

    def __init__(self, times: Times) -> None:
        self.octets = 0
        self.messages = 0
        self.times = times


class Book:
    """The plain integers of one Context."""

    def __init__(self) -> None:
        self.times = {operation: Times() for operation in ("send", "recv", "handshake", "rekey")}
        self.traffic: dict[tuple[str, Direction], Traffic] = {}

    def page(self, socket_type: str, direction: Direction) -> Traffic:
        """The numbers of one socket type and direction, from zero if there are none yet."""
        fresh = Traffic(self.times[OPERATIONS[direction]])
        return self.traffic.setdefault((socket_type, direction), fresh)


class Metrics:
    """All metrics of some Contexts, in a registry. `watch(context)` adds a Context, `serve` answers scrapes."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        """Register with `registry`, a new one if None."""
        self.registry = registry or CollectorRegistry()
        self._books: list[Book] = []
        self._slots: list[Slot] = []

        def metric(kind: Any, name: str, help_text: str, *labels: str) -> Any:
            return kind(f"qzmq_{name}", help_text, labels, registry=self.registry)

        self.active = metric(Gauge, "active_connections", "Established sessions", "socket_type", "role")
        self.handshakes = metric(Counter, "handshakes", "Handshakes that ended", "mode", "result")
        self.key_updates = metric(Counter, "key_updates", "New traffic keys in a session", "kind", "direction")
        self.failures = metric(Counter, "authentication_failures", "Peers refused, or refusing", "reason", "direction")
        self.alerts = metric(Counter, "alerts", "Sessions ended by an alert", "description", "direction")
        self.registry.register(self)

    def watch(self, context: SecuredContext[Any]) -> None:
        """Count what every endpoint of the Context does that is bound or connected from now on."""
        context.slot.observe = self.observer()
        self._slots.append(context.slot)

    def observer(self) -> Observe:
        """An observer for one bridge."""
        book = Book()
        self._books.append(book)
        return lambda configuration: ConnectionWatch(self, book, configuration)

    def collect(self) -> Iterator[Metric]:
        """What a scrape sees of the plain integers (the collector interface of prometheus_client)."""
        traffic = [item for book in self._books for item in list(book.traffic.items())]
        labels = ("socket_type", "direction")
        messages = CounterMetricFamily("qzmq_messages", "ZeroMQ messages carried by sessions", labels=labels)
        octets = CounterMetricFamily("qzmq_bytes", "Octets of ZMTP traffic carried by sessions", labels=labels)
        for key in sorted({key for key, _ in traffic}):
            pages = [page for other, page in traffic if other == key]
            octets.add_metric(key, sum(page.octets for page in pages))
            if key[0] != "STREAM":
                messages.add_metric(key, sum(page.messages for page in pages))
        yield from (messages, octets, self._clients(), self._operations())

    def _clients(self) -> Metric:
        family = CounterMetricFamily("qzmq_clients", "Clients that servers admitted", labels=("mechanism",))
        for mechanism, count in sorted(sum((slot.clients for slot in self._slots), Counted()).items()):
            family.add_metric((mechanism,), count)
        return family

    def _operations(self) -> Metric:
        help_text = "Sealing or opening the octets of one wakeup, a handshake, a generation"
        family = HistogramMetricFamily("qzmq_operation_seconds", help_text, labels=("operation",))
        bounds = [*map(str, BOUNDS), "+Inf"]
        for operation in Book().times:
            times = [Times(), *(book.times[operation] for book in self._books)]
            counts = accumulate(map(sum, zip(*(each.buckets for each in times), strict=True)))
            family.add_metric((operation,), list(zip(bounds, counts, strict=True)), sum(each.total for each in times))
        return family


class ConnectionWatch:
    """Writes one connection's doings into the metrics."""

    def __init__(self, metrics: Metrics, book: Book, configuration: Configuration) -> None:
        self._metrics = metrics
        self._times = book.times
        socket_type = configuration.socket_type.decode() or "STREAM"
        self._sent = book.page(socket_type, "sent")
        self._received = book.page(socket_type, "received")
        self._active = metrics.active.labels(socket_type, configuration.role)
        self._mode = configuration.policy.mode

    def carried(self, direction: Direction, octets: int, messages: int, seconds: float) -> None:
        """See Watch.carried."""
        page = self._sent if direction == "sent" else self._received
        page.octets += octets
        page.messages += messages
        page.times.add(seconds)

    def stepped(self, direction: Direction, steps: int) -> None:
        """See Watch.stepped."""
        self._metrics.key_updates.labels("step", direction).inc(steps)

    def rekeyed(self, seconds: float | None) -> None:
        """See Watch.rekeyed."""
        self._metrics.key_updates.labels("generation", "both").inc()
        if seconds is not None:
            self._times["rekey"].add(seconds)

    def established(self, peer: Peer, seconds: float) -> None:
        """See Watch.established."""
        self._mode = mode_of(peer.suite) or self._mode
        self._times["handshake"].add(seconds)
        self._metrics.handshakes.labels(self._mode, "established").inc()
        self._active.inc()

    def ended(self, ended: Ended, *, established: bool) -> None:
        """See Watch.ended."""
        if established:
            self._active.dec()
        else:
            self._metrics.handshakes.labels(self._mode, ended.reason).inc()
        if ended.alert is None:
            return
        direction = "sent" if ended.reason == "alert" else "received"
        name = alert_name(ended.alert)
        self._metrics.alerts.labels(name, direction).inc()
        if not established and ended.alert.description in AUTHENTICATION:
            self._metrics.failures.labels(name, direction).inc()


class Server:
    """Answers scrapes until `close`. `port` is the one it listens at."""

    def __init__(self, metrics: Metrics, port: int, address: str) -> None:
        self.metrics = metrics
        self._server, self._thread = start_http_server(port, address, metrics.registry)
        self.port: int = self._server.server_port

    def close(self) -> None:
        """Stop answering; counting goes on."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def serve(
    context: SecuredContext[Any], port: int = 9090, address: str = "127.0.0.1", *, metrics: Metrics | None = None
) -> Server:
    """Count what the Context's sockets do and answer scrapes at http://address:port/metrics; port 0 is any free one.

    Call it before they bind or connect. Whoever reaches the port learns how much is said, though not what: it is
    this machine's alone unless `address` says otherwise. Give the same `metrics` for a second Context at the same
    registry. OSError if the port is taken.
    """
    metrics = metrics or Metrics()
    server = Server(metrics, port, address)
    metrics.watch(context)
    return server


if TYPE_CHECKING:
    _: type[Watch] = ConnectionWatch
