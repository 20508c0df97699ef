"""Endpoints as text: what is read is what was written, and nothing else gets through."""

from __future__ import annotations

import errno
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qzmq_ref.alerts import LocalError
from qzmq_ref.bridge.endpoints import UNSECURED, bound, numeric, parse, resolve_bind, resolve_connect

HOSTS = st.one_of(
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda address: f"[{address}]"),
    st.from_regex(r"[a-z][a-z0-9\-]{0,20}(\.[a-z]{2,5})?", fullmatch=True),
)
PORTS = st.integers(1, 65535)


@given(HOSTS, PORTS)
def test_tcp_addresses_are_read_back(host: str, port: int) -> None:
    for bind in (True, False):
        endpoint = parse(f"tcp://{host}:{port}", bind=bind)
        assert (endpoint.transport, endpoint.host, endpoint.port) == ("tcp", host.strip("[]"), port)


@given(HOSTS, PORTS, HOSTS, PORTS)
def test_a_source_address_comes_first(source: str, source_port: int, host: str, port: int) -> None:
    endpoint = parse(f"tcp://{source}:{source_port};{host}:{port}", bind=False)
    assert (endpoint.source, endpoint.host) == ((source.strip("[]"), source_port), host.strip("[]"))
    with pytest.raises(OSError, match="Invalid"):
        parse(f"tcp://{source}:{source_port};{host}:{port}", bind=True)


@given(st.text())
def test_any_text_is_an_endpoint_or_an_error(text: str) -> None:
    """Never anything that would reach libzmq as another transport."""
    errors = (errno.EINVAL, errno.EPROTONOSUPPORT, errno.ENAMETOOLONG)
    try:
        known = parse(text, bind=True).transport in ("tcp", "ipc")
    except LocalError:
        known = text.partition(":")[0] in UNSECURED
    except OSError as error:
        known = error.errno in errors
    assert known


@pytest.mark.parametrize("port", ["*", "0"])
def test_wildcards_are_for_binding(port: str) -> None:
    assert parse(f"tcp://*:{port}", bind=True).port == 0
    with pytest.raises(OSError, match="Invalid"):
        parse(f"tcp://127.0.0.1:{port}", bind=False)
    with pytest.raises(OSError, match="Invalid"):
        parse("tcp://*:5555", bind=False)


@pytest.mark.parametrize(
    ("text", "ipv6", "family", "host"),
    [
        ("tcp://*:*", False, socket.AF_INET, "0.0.0.0"),  # noqa: S104
        ("tcp://*:*", True, socket.AF_INET6, "::"),
        ("tcp://lo:*", False, socket.AF_INET, "127.0.0.1"),
        ("tcp://localhost:*", False, socket.AF_INET, "127.0.0.1"),
    ],
)
def test_where_to_listen(text: str, host: str, family: int, *, ipv6: bool) -> None:
    resolved = resolve_bind(parse(text, bind=True), ipv6=ipv6)
    assert (resolved.family, resolved.address[0]) == (family, host)
    with socket.socket(resolved.family) as listener:
        listener.bind(resolved.address)
        name = f"[{host}]" if ipv6 else host
        assert bound(listener) == f"tcp://{name}:{listener.getsockname()[1]}"


def test_no_such_host_is_no_device_to_bind_and_an_error_to_connect() -> None:
    nowhere = "tcp://no-such-host.invalid:5555"
    with pytest.raises(OSError, match="No such device"):
        resolve_bind(parse(nowhere, bind=True), ipv6=False)
    with pytest.raises(OSError, match=r"not known|resolution"):
        resolve_connect(parse(nowhere, bind=False), ipv6=False)


def test_only_names_need_a_name_service() -> None:
    assert numeric(parse("tcp://127.0.0.1:1", bind=False))
    assert numeric(parse("tcp://[::1]:1", bind=False))
    assert numeric(parse("ipc:///tmp/socket", bind=False))
    assert not numeric(parse("tcp://localhost:1", bind=False))
