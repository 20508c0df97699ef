"""A pytest plugin for pyzmq's own tests: every Context they make speaks QZMQ, and they do not know of it.

Both keys are defaults of the socket classes, so a test's bind is a QZMQ server and its connect a client of it.
"""

from __future__ import annotations

import fnmatch

import pytest
import zmq
import zmq.asyncio
import zmq.devices
import zmq.eventloop.future  # its Context derives from pyzmq's, whatever comes after
import zmq.log.handlers
import zmq.sugar.context

import qzmq_ref
import qzmq_ref.asyncio

MECHANISM = "sets up PLAIN or CURVE, and a socket has one mechanism: here that is QZMQ"
NAME = "compares the names of pyzmq's classes"
SHADOW = "connects by a plain zmq.Socket that shadows this one: plain sockets have no QZMQ, and are refused"
RACE = "logs before its subscription can have arrived: over plain TCP it usually wins that race, here never"

APART = {
    "*/test_auth.py::*::test_plain*": MECHANISM,
    "*/test_auth.py::*::test_curve*": MECHANISM,
    "*/test_security.py::*::test_plain": MECHANISM,
    "*/test_security.py::*::test_curve": MECHANISM,
    "*/test_curve_keygen.py::test_curve_keygen": MECHANISM,
    "*/test_curve_keygen.py::test_curve_keygen_json": MECHANISM,
    "*::TestContext::test_repr": NAME,
    "*::TestSocket::test_repr": NAME,
    "*::TestSocket::test_shadow": SHADOW,
    "*::TestPubLog::test_blank_root_topic": RACE,
}
"""Tests that cannot hold for a socket that speaks QZMQ, and why."""


def pytest_configure() -> None:
    """Give pyzmq's names to the secured classes, before a test is imported."""
    public, secret = qzmq_ref.keypair()
    for secured in (qzmq_ref.Socket, qzmq_ref.asyncio.Socket):
        secured.qzmq_secretkey, secured.qzmq_serverkey = secret, public
    for place in (zmq, zmq.sugar, zmq.sugar.context):
        place.Context = qzmq_ref.Context  # type: ignore[attr-defined]
    zmq.asyncio.Context = qzmq_ref.asyncio.Context  # type: ignore[misc]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is APART, aloud."""
    for item in items:
        for pattern, reason in APART.items():
            if fnmatch.fnmatchcase(f"/{item.nodeid}", pattern):
                item.add_marker(pytest.mark.skip(reason=reason))
