"""The socket: libzmq's own, whose tcp and ipc endpoints are joined to the network by the bridge."""

from __future__ import annotations

import contextlib
import errno
import functools
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import zmq

from qzmq_ref.alerts import LocalError
from qzmq_ref.bridge.connector import Connector
from qzmq_ref.bridge.core import Bridge
from qzmq_ref.bridge.dualstack import DualListener
from qzmq_ref.bridge.endpoints import parse
from qzmq_ref.bridge.link import Link
from qzmq_ref.bridge.listener import Listener
from qzmq_ref.bridge.sessions import Sessions
from qzmq_ref.handshake.tickets import TicketStore
from qzmq_ref.policy import Policy
from qzmq_ref.socket.curve import CurveClients, curve_options
from qzmq_ref.socket.monitor import HIDDEN_BIND, HIDDEN_CONNECT, HIDDEN_CURVE, HIDDEN_STREAM, Monitor
from qzmq_ref.socket.options import (
    linger_of,
    option_of,
    private_hop,
    ready_properties,
    socket_type,
    transport_options,
)
from qzmq_ref.socket.security import KeyText, PemText, Security, octets

if TYPE_CHECKING:
    from qzmq_ref.socket.context import SecuredContext

_T = TypeVar("_T")


class SecuredSocket(zmq.Socket[_T]):
    """A ZeroMQ socket that speaks QZMQ on tcp and ipc; inproc stays as it is, other transports are refused (PAT-11).

    `qzmq_secretkey` is this side's own key, `qzmq_serverkey` (client) the key or keys its server may have,
    `qzmq_clientkeys` (server) those of the clients it admits, None for anyone. Keys are 40 Z85 characters. A socket
    that binds is the server and one that connects the client, unless `qzmq_server` says otherwise. In place of a pin,
    `qzmq_ca` trusts the certificates of an authority, a client's for `qzmq_servername`; `qzmq_certificate` is what
    this side shows, its own first; all are PEM. A server keeps its tickets with its Context, or in `qzmq_tickets`.
    With `qzmq_curve_secretkey` a server admits the CURVE clients of `qzmq_curve_clients` on the same port.
    """

    context: SecuredContext[Any]

    qzmq_server: bool | None = None
    qzmq_secretkey: KeyText | None = None
    qzmq_publickey: KeyText | None = None
    qzmq_serverkey: KeyText | Iterable[KeyText] | None = None
    qzmq_clientkeys: Iterable[KeyText] | None = None
    qzmq_policy: Policy | str = "default"
    qzmq_certificate: PemText | None = None
    qzmq_ca: PemText | None = None
    qzmq_servername: str = ""
    qzmq_tickets: TicketStore | None = None
    qzmq_curve_secretkey: KeyText | None = None
    qzmq_curve_clients: CurveClients | None = None

    _endpoints: dict[str, list[Listener | Connector]]
    _monitor: Monitor
    _sessions: Sessions
    _last_endpoint: bytes | None = None
    _own_metadata: tuple[bytes, ...] = ()
    _zap_domain: bytes = b""
    _serves_curve: bool = False
    _linger: float | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._endpoints = {}
        self._monitor = Monitor()
        self._sessions = Sessions()
        super().__init__(*arguments, **options)  # type: ignore[misc]  # its overloads name self's type
        self._linger = linger_of(self)

    @property
    def qzmq_resume(self) -> bool:
        """Whether this client's next connection may come back with a ticket, as at first; set it at any time."""
        return self._sessions.resume

    @qzmq_resume.setter
    def qzmq_resume(self, resume: bool) -> None:
        self._sessions.resume = resume

    @property
    def qzmq_sessions(self) -> Mapping[str, int]:
        """How many clients have been authenticated so far where this socket is bound, by mechanism."""
        endpoints = itertools.chain.from_iterable(self._endpoints.values())
        return sum((each.sessions for each in endpoints if isinstance(each, Listener)), Counter())

    # ---- sessions

    def rekey(
        self, generation: bool = False, *, peer: KeyText | None = None, endpoint: str | bytes | None = None
    ) -> int:
        """Rekey every session, or those with one peer or at one endpoint; returns how many.

        A step (ROT-2) of this side's sending key protects what was sent from whoever reads this side's memory later; it
        is taken when the call returns. A new generation (ROT-8) shuts out who has read it already; when the call
        returns it has only been asked for. `peer` is a public key, as X-QZMQ-Peer names it, `endpoint` one that this
        socket is bound or connected to. LocalError if `peer` is no key. Messages flow meanwhile; any thread may call.
        """
        pin = None if peer is None else octets("peer", peer)
        place = None if endpoint is None else _text(endpoint)
        return self._bridge().loop.ask(lambda: self._sessions.rekey(pin, place, generation=generation))

    def export(
        self,
        label: str,
        context: bytes = b"",
        length: int = 32,
        *,
        peer: KeyText | None = None,
        endpoint: str | bytes | None = None,
    ) -> bytes:
        """Keying material that only the two ends of a session have, `length` octets (KS-6; RFC 8446 section 7.5).

        Both ends get the same for the same `label` (1 to 249 octets in UTF-8) and `context`. Where there are several
        sessions, `peer` and `endpoint` choose one as in `rekey`. LocalError if that is none or several, or if the label
        or the length is out of bounds. A reconnect begins another session.
        """
        pin = None if peer is None else octets("peer", peer)
        place = None if endpoint is None else _text(endpoint)
        return self._bridge().loop.ask(lambda: self._sessions.export(pin, place, label, context, length))

    # ---- endpoints

    def bind(self, addr: str | bytes) -> Any:
        """As zmq.Socket.bind. LocalError without a key (CERT-6), or if the transport cannot be secured (PAT-11)."""
        text = _text(addr)
        if text.startswith("inproc://") or self.closed:
            self._last_endpoint = None
            return super().bind(text)
        with _zmq_errors(text):
            endpoint = parse(text, bind=True)
            kind = Listener if self.qzmq_curve_secretkey is None else DualListener
            listener = kind(self._bridge(), endpoint, self._link(text, bind=True))
        try:
            self._attach(listener, super().bind, HIDDEN_BIND)
        except (zmq.ZMQError, LocalError):
            listener.close(0.0)
            raise
        self._bridge().loop.call(listener.start)
        return self._bind_cm(text)

    def connect(self, addr: str | bytes) -> Any:
        """As zmq.Socket.connect. LocalError without a pin (CERT-6), or if the transport cannot be secured (PAT-11)."""
        text = _text(addr)
        if text.startswith("inproc://") or self.closed:
            self._last_endpoint = None
            return super().connect(text)
        with _zmq_errors(text):
            endpoint = parse(text, bind=False)
            connector = Connector(self._bridge(), endpoint, self._link(text, bind=False))
        self._bridge().loop.call(connector.start)
        try:
            self._attach(connector, super().connect, HIDDEN_STREAM if self.type == zmq.STREAM else HIDDEN_CONNECT)
        except zmq.ZMQError:
            self._bridge().loop.run(connector.abandon)
            raise
        return self._connect_cm(text)

    def unbind(self, addr: str | bytes) -> None:
        """As zmq.Socket.unbind; nobody listens there any more when it returns."""
        self._detach(super().unbind, _text(addr))

    def disconnect(self, addr: str | bytes) -> None:
        """As zmq.Socket.disconnect."""
        self._detach(super().disconnect, _text(addr))

    def close(self, linger: int | None = None) -> None:
        """As zmq.Socket.close. What is on its way is delivered meanwhile, within the linger time."""
        if linger is not None:
            self._linger = None if linger < 0 else linger / 1000
        left, self._endpoints = self._endpoints, {}
        slot = self.context.slot if left else None
        if slot is None:
            return super().close(linger)
        slot.linger_for(self._linger)
        loop = slot.bridge().loop  # before libzmq closes: a Context that waits for this socket ends the bridge then
        super().close(linger)
        for endpoint in itertools.chain.from_iterable(left.values()):
            loop.call(functools.partial(endpoint.close, self._linger))
        return None

    def _bridge(self) -> Bridge:
        return self.context.slot.bridge()

    def _attach(
        self, endpoint: Listener | Connector, attach: Callable[[str], object], hidden: frozenset[zmq.Event]
    ) -> None:
        """Bind or connect libzmq's side to the private path."""
        private = f"ipc://{endpoint.private}"
        self._monitor.name(private, endpoint.endpoint, hidden)
        with private_hop(self, connect=isinstance(endpoint, Connector)):
            attach(private)
        if isinstance(endpoint, DualListener):
            self._attach_curve(endpoint, attach)
        self._endpoints.setdefault(endpoint.endpoint, []).append(endpoint)
        self._last_endpoint = endpoint.endpoint.encode()

    def _attach_curve(self, listener: DualListener, attach: Callable[[str], object]) -> None:
        """Bind libzmq's side a second time, for the CURVE clients of the same port (ZMTP-14)."""
        key = self.qzmq_curve_secretkey
        assert key is not None  # noqa: S101  # there is no DualListener without it
        private = f"ipc://{listener.private_curve}"
        self._monitor.name(private, listener.endpoint, HIDDEN_CURVE)
        with curve_options(self, key, self._curve_domain()):
            attach(private)
        self._serves_curve = True

    def _curve_domain(self) -> bytes:
        """The ZAP domain of this socket's CURVE clients, who are admitted by it (ZMTP-15)."""
        if self.qzmq_server is False or self.type == zmq.STREAM:
            raise LocalError("qzmq_curve_secretkey is for a server of another type than STREAM: leave it out here")
        if self.qzmq_curve_clients is None:
            raise LocalError("ZMTP-15: set qzmq_curve_clients to the public CURVE keys to admit, or to 'zap'")
        if self.qzmq_curve_clients != "zap":
            return self.context.curve.admit(self._bridge(), self.qzmq_curve_clients)
        if not self._zap_domain:
            raise LocalError(
                "ZMTP-15: set zap_domain, so that the application's ZAP handler is asked about CURVE clients"
            )
        return self._zap_domain

    def _detach(self, detach: Callable[[str], None], text: str) -> None:
        if text.startswith("inproc://"):
            return detach(text)
        found = self._endpoints.pop(text, None)
        if found is None:
            raise zmq.ZMQError(errno.ENOENT)
        for endpoint in found:
            self._bridge().loop.run(functools.partial(endpoint.close, self._linger))
            detach(f"ipc://{endpoint.private}")
            if isinstance(endpoint, DualListener):
                detach(f"ipc://{endpoint.private_curve}")
        return None

    def _link(self, endpoint: str, *, bind: bool) -> Link:
        """How connections are secured and set up, by the socket's attributes and options of this moment."""
        if self._serves_curve:
            raise LocalError(
                "this socket serves CURVE clients, for whom libzmq asks ZAP from then on: bind and connect the other "
                "endpoints before that one, or on a socket of their own"
            )
        if self.get(zmq.MECHANISM) != zmq.NULL:
            raise LocalError(
                "this socket is set up for CURVE, PLAIN or GSSAPI: leave those lines out, QZMQ replaces them"
            )
        if option_of(self, zmq.SOCKS_PROXY, b"") or option_of(self, zmq.USE_FD, -1) != -1:
            raise LocalError("QZMQ uses sockets of its own: leave SOCKS_PROXY and USE_FD unset")
        security = Security(
            self.qzmq_server,
            self.qzmq_secretkey,
            self.qzmq_publickey,
            self.qzmq_serverkey,
            self.qzmq_clientkeys,
            self.qzmq_policy,
            self.qzmq_certificate,
            self.qzmq_ca,
            self.qzmq_servername,
            self.context.signing_keys,
        )
        metadata = ready_properties(self, self._own_metadata)
        configuration = security.configuration(bind=bind, socket_type=socket_type(self), metadata=metadata)
        bridge, domain, zap = self._bridge(), self._zap_domain, self.context.zap
        if configuration.role == "server":
            configuration = replace(
                configuration,
                tickets=self.qzmq_tickets or self.context.tickets,
                authorizing=zap.due(bridge, domain, enforced=bool(option_of(self, zmq.ZAP_ENFORCE_DOMAIN, 0))),
            )
        if self.context.slot.key_log is not None:
            configuration = replace(configuration, key_log=self.context.slot.key_log())
        return Link(
            configuration,
            transport_options(self),
            self._monitor.notify,
            tickets=self.context.ticket_book.tickets(endpoint, configuration.digest),
            observe=self.context.slot.observe,
            authorizer=zap.authorizer(bridge, domain),
            clients=self.context.slot.clients,
            sessions=self._sessions,
        )

    # ---- options

    def monitor(self, addr: str | bytes | None, events: int = zmq.Event.ALL) -> None:
        """As zmq.Socket.monitor; events name public endpoints and tell of the network, not of the private hop."""
        if addr is None:
            return super().monitor(None, 0)
        inner = self._monitor.relay(self.context, self._bridge(), _text(addr), events)
        return super().monitor(inner, zmq.Event.ALL)

    def set(self, option: int, optval: Any) -> None:
        """As zmq.Socket.set; LINGER and METADATA are noted for the bridge, ZAP_DOMAIN is not for the private hop."""
        if option == zmq.ZAP_DOMAIN:
            self._zap_domain = bytes(optval)
            return
        super().set(option, optval)
        if option == zmq.LINGER:
            self._linger = None if optval < 0 else optval / 1000
        elif option == zmq.METADATA:
            self._own_metadata += (optval,)

    def get(self, option: int) -> Any:
        """As zmq.Socket.get; LAST_ENDPOINT is the public one."""
        if option == zmq.LAST_ENDPOINT and self._last_endpoint is not None and not self.closed:
            return self._last_endpoint
        return self._zap_domain if option == zmq.ZAP_DOMAIN else super().get(option)

    setsockopt = set  # noqa: A003
    getsockopt = get


def _text(addr: str | bytes) -> str:
    if isinstance(addr, bytes):
        return addr.decode()
    if isinstance(addr, str):
        return addr
    raise TypeError(f"Expected addr to be str, got addr={addr!r}")


@contextlib.contextmanager
def _zmq_errors(addr: str) -> Iterator[None]:
    """What the system refuses is raised as libzmq would."""
    try:
        yield
    except OSError as error:
        refused = zmq.ZMQError(error.errno)
        limit = f", at most {zmq.IPC_PATH_MAX_LEN} octets" if error.errno == errno.ENAMETOOLONG else ""
        refused.strerror = f"{refused.strerror} (addr={addr!r}{limit})"
        raise refused from None
