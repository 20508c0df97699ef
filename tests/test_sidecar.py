"""`qzmq bridge` beside programs that know nothing of QZMQ."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
import zmq

import qzmq_ref
from qzmq_conformance.relay import Relay
from qzmq_ref import cli, logs
from qzmq_ref.auth import load_key
from qzmq_ref.handshake.client import server_signed
from qzmq_ref.handshake.messages import ServerHello
from qzmq_ref.handshake.session import Session
from qzmq_ref.zmtp import command, greeting
from tests.sidecars import Sidecar, keys, plain, stack

__all__ = ["keys", "plain", "stack"]


def server(keys: Path, forward: str, *more: str) -> Sidecar:
    """A server sidecar on a port of its own that admits the client."""
    own = ("--key", keys / "server.key_secret", "--client-keys", keys / "clients")
    return Sidecar("server", "--listen", "tcp://127.0.0.1:*", "--forward", forward, *own, *more)


def client(keys: Path, port: int, *more: str, listen: str = "tcp://127.0.0.1:*") -> Sidecar:
    """A client sidecar for the server at that port."""
    own = ("--server-key", keys / "server.key", "--key", keys / "clients" / "client.key_secret")
    return Sidecar("client", "--listen", listen, "--forward", f"tcp://127.0.0.1:{port}", *own, *more)


def spawn(stack: ExitStack, *command: str | Path) -> subprocess.Popen[str]:
    """A program that is killed at the end of the test if it still runs."""
    process = stack.enter_context(subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, text=True))
    stack.callback(process.kill)
    return process


def name_of(socket: zmq.Socket[bytes]) -> str:
    """Where it is bound."""
    return bytes(socket.get(zmq.LAST_ENDPOINT)).decode()


@pytest.mark.parametrize(("bound", "connected"), [("rep", "req"), ("pull", "push"), ("pub", "sub")])
def test_programs_in_c(bound: str, connected: str, plain: Path, keys: Path, tmp_path: Path, stack: ExitStack) -> None:
    """Two programs on plain libzmq, two sidecars, and between these nothing that can be read."""
    inside = f"ipc://{tmp_path}/inside"
    binder = spawn(stack, plain, bound, "bind", inside, "20")
    outer = stack.enter_context(server(keys, inside))
    relay = stack.enter_context(Relay(("127.0.0.1", outer.port)))
    inner = stack.enter_context(client(keys, relay.port))
    connecter = spawn(stack, plain, connected, "connect", inner.endpoint, "20")
    printed = {bound: "", connected: connecter.communicate(timeout=30)[0]}
    if bound != "pub":
        printed[bound] = binder.communicate(timeout=30)[0]
    pin = load_key(keys / "clients" / "client.key").public.decode()
    expected = {
        "rep": [f"question in the clear {i} from {pin}" for i in range(20)],
        "req": [f"answer in the clear {i}" for i in range(20)],
        "pull": [f"news in the clear {i}" for i in range(20)],
    }
    for kind, lines in printed.items():
        if kind == "sub":
            first = int(re.findall(r"\d+", lines)[0])
            assert lines.splitlines() == [f"news in the clear {first + i}" for i in range(20)]
        else:
            assert lines.splitlines() == expected.get(kind, [])
    assert sum(map(len, relay.recordings())) > 5000
    assert not any(relay.carried(octets) for octets in (b"in the clear", b"Socket-Type", b"READY"))


def test_a_sidecar_and_a_qzmq_socket(keys: Path, tmp_path: Path, stack: ExitStack) -> None:
    """Either sidecar alone, with qzmq_ref's own socket at the other end of the wire."""
    context, secured = stack.enter_context(zmq.Context()), stack.enter_context(qzmq_ref.Context())
    program = stack.enter_context(context.socket(zmq.ROUTER))
    program.bind(f"ipc://{tmp_path}/inside")
    outer = stack.enter_context(server(keys, f"ipc://{tmp_path}/inside"))
    socket = stack.enter_context(secured.socket(zmq.DEALER))
    socket.routing_id = b"known by name"
    socket.qzmq_serverkey = load_key(keys / "server.key").public
    socket.qzmq_secretkey = load_key(keys / "clients" / "client.key_secret").secret
    socket.connect(outer.endpoint)
    echo(program, socket, [b"known by name", b"from inside"])

    replier = stack.enter_context(secured.socket(zmq.ROUTER))
    replier.qzmq_secretkey = load_key(keys / "server.key_secret").secret
    replier.bind("tcp://127.0.0.1:*")
    inner = stack.enter_context(client(keys, int(name_of(replier).rpartition(":")[2])))
    asker = stack.enter_context(context.socket(zmq.DEALER))
    asker.routing_id = b"plain"
    asker.connect(inner.endpoint)
    echo(replier, asker, [b"plain", b"from outside"])


def echo(router: zmq.Socket[bytes], dealer: zmq.Socket[bytes], frames: list[bytes]) -> None:
    """One message there, named by its sender's identity, and back."""
    for each in (router, dealer):
        each.rcvtimeo = 20_000
        each.linger = 0
    dealer.send(frames[1])
    assert router.recv_multipart() == frames
    router.send_multipart(frames)
    assert dealer.recv() == frames[1]


def test_a_client_sidecar_resumes(keys: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second connection of a program costs the server no signature."""
    signed: list[ServerHello] = []

    def spy(session: Session, hello: ServerHello) -> bytes:
        signed.append(hello)
        return server_signed(session, hello)

    monkeypatch.setattr("qzmq_ref.handshake.server.server_signed", spy)
    context, secured = stack.enter_context(zmq.Context()), stack.enter_context(qzmq_ref.Context())
    pull = stack.enter_context(secured.socket(zmq.PULL))
    pull.rcvtimeo = 20_000
    pull.qzmq_secretkey = load_key(keys / "server.key_secret").secret
    pull.bind("tcp://127.0.0.1:*")
    inner = stack.enter_context(client(keys, int(name_of(pull).rpartition(":")[2])))
    for number in (1, 2):
        with context.socket(zmq.PUSH) as push:
            push.connect(inner.endpoint)
            push.send(b"%d" % number)
            assert pull.recv() == b"%d" % number
            inner.await_log("session with", number)
            time.sleep(0.2)  # for the tickets, which come behind Finished
    assert len(signed) == 1


def test_sigterm_delivers_what_was_accepted(keys: Path, stack: ExitStack) -> None:
    """The sender is gone and its sidecar is told to go, then the other one, before the receiver has read a message."""
    context = stack.enter_context(zmq.Context())
    pull = stack.enter_context(context.socket(zmq.PULL))
    pull.rcvhwm, pull.rcvbuf, pull.rcvtimeo = 1, 4096, 20_000
    pull.bind("tcp://127.0.0.1:*")
    outer = stack.enter_context(server(keys, name_of(pull)))
    inner = stack.enter_context(client(keys, outer.port))
    push = stack.enter_context(context.socket(zmq.PUSH))
    push.connect(inner.endpoint)
    messages = [bytes([i]) * 2000 for i in range(200)]
    for message in messages:
        push.send(message)
    outer.await_log("session of")
    time.sleep(0.5)
    inner.process.terminate()
    time.sleep(0.2)
    outer.process.terminate()
    time.sleep(0.2)
    assert [pull.recv() for _ in messages] == messages
    assert (inner.process.wait(20), outer.process.wait(20)) == (0, 0)
    push.close(0)


def test_a_program_that_comes_back_as_another(keys: Path, tmp_path: Path, stack: ExitStack) -> None:
    """READY is learnt anew: the handshake tells the truth about the program that is there now."""
    context = stack.enter_context(zmq.Context())
    inside = f"ipc://{tmp_path}/inside"
    first = context.socket(zmq.REP)
    first.bind(inside)
    outer = stack.enter_context(server(keys, inside))
    outer.await_log("accepting for the REP")
    first.close(0)
    second = stack.enter_context(context.socket(zmq.PULL))
    second.rcvtimeo = 20_000
    second.bind(inside)
    inner = stack.enter_context(client(keys, outer.port))
    asker = stack.enter_context(context.socket(zmq.REQ))
    asker.linger = 0
    asker.connect(inner.endpoint)
    outer.await_log("accepting for the PULL")
    push = stack.enter_context(context.socket(zmq.PUSH))
    push.connect(inner.endpoint)
    push.send(b"news")
    assert second.recv() == b"news"


def test_a_stranger_does_not_reach_the_program(keys: Path, tmp_path: Path, stack: ExitStack) -> None:
    """A client whose key is not listed is refused outside; inside, only the sidecar's own question is seen."""
    context = stack.enter_context(zmq.Context())
    program = stack.enter_context(context.socket(zmq.PULL))
    watch = stack.enter_context(program.get_monitor_socket(zmq.Event.ACCEPTED))
    program.bind(f"ipc://{tmp_path}/inside")
    outer = stack.enter_context(server(keys, f"ipc://{tmp_path}/inside"))
    outer.await_log("accepting for the PULL")
    assert watch.recv_multipart()
    stranger = Sidecar(
        "client", "--listen", "tcp://127.0.0.1:*", "--forward", outer.endpoint, "--server-key", keys / "server.key"
    )
    stack.enter_context(stranger)
    push = stack.enter_context(context.socket(zmq.PUSH))
    push.linger = 0
    push.connect(stranger.endpoint)
    stranger.await_log("certificate_required")
    assert not watch.poll(300)


NULL = greeting(b"NULL", as_server=False)


def test_what_is_no_plain_program_is_told_so(keys: Path, stack: ExitStack) -> None:
    """Whatever else comes to the plain side is hung up on, with advice in the log, and the next program is served."""
    context = stack.enter_context(zmq.Context())
    program = stack.enter_context(context.socket(zmq.PULL))
    program.rcvtimeo = 20_000
    program.bind("tcp://127.0.0.1:*")
    outer = stack.enter_context(server(keys, name_of(program)))
    inner = stack.enter_context(client(keys, outer.port))
    wrong = (
        b"GET / HTTP/1.0\r\n\r\n",
        greeting(b"CURVE", as_server=False),
        NULL[:11] + b"\0" + NULL[12:],  # ZMTP 3.0
        NULL + b"\0\5hello",
        NULL + command(b"READY", b""),
        NULL + command(b"ERROR", b"\3400"),
        NULL + b"\6" + b"\xff" * 8 + bytes(2**18),
    )
    for octets in wrong:
        peer = stack.enter_context(socket.create_connection(("127.0.0.1", inner.port), timeout=10))
        with contextlib.suppress(OSError):  # it may hang up before it has read everything
            peer.sendall(octets)
            while peer.recv(4096):
                pass
    inner.await_log("let it use libzmq 4.3.3 or later", len(wrong))
    push = stack.enter_context(context.socket(zmq.PUSH))
    push.connect(inner.endpoint)
    push.send(b"the real one")
    assert program.recv() == b"the real one"


def test_raw_carries_any_octets(keys: Path, stack: ExitStack) -> None:
    """--raw on both sides: an STREAM socket's program, or anything that speaks over TCP."""
    context = stack.enter_context(zmq.Context())
    program = stack.enter_context(context.socket(zmq.STREAM))
    program.rcvtimeo = 20_000
    program.bind("tcp://127.0.0.1:*")
    outer = stack.enter_context(server(keys, name_of(program), "--raw"))
    inner = stack.enter_context(client(keys, outer.port, "--raw"))
    caller = stack.enter_context(context.socket(zmq.STREAM))
    caller.rcvtimeo = 20_000
    caller.connect(inner.endpoint)
    identity, nothing = caller.recv_multipart()
    assert nothing == b""
    caller.send_multipart([identity, b"GET / HTTP/1.0\r\n\r\n"])
    other, nothing = program.recv_multipart()
    assert (nothing, program.recv_multipart()) == (b"", [other, b"GET / HTTP/1.0\r\n\r\n"])
    program.send_multipart([other, b"HTTP/1.0 200 OK\r\n\r\n"])
    assert caller.recv_multipart() == [identity, b"HTTP/1.0 200 OK\r\n\r\n"]


@pytest.mark.parametrize(
    ("role", "change", "advice"),
    [
        ("client", {"--listen": "tcp://*:5555"}, "tcp://127.0.0.1:PORT"),
        ("client", {"--listen": "tcp://192.0.2.1:5555"}, "tcp://127.0.0.1:PORT"),
        ("server", {"--forward": "tcp://192.0.2.1:5555"}, "ipc://PATH"),
        ("client", {"--forward": "udp://127.0.0.1:5555"}, "use tcp, ipc"),
        ("client", {"--forward": "nonsense"}, "write tcp://HOST:PORT"),
        ("server", {"--key": "server.key"}, "the file that ends in _secret"),
        ("server", {"--key": "nowhere"}, "qzmq keygen"),
        ("server", {"--policy": "conservative"}, "give the --policy it was made for"),
        ("server", {"--client-keys": "empty"}, "copy the public keys"),
        ("server", {"--listen": "tcp://192.0.2.1:5555"}, "choose another endpoint"),
    ],
)
def test_errors_say_what_to_do(
    role: str,
    change: dict[str, str],
    advice: str,
    keys: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(keys)
    monkeypatch.setattr(logs, "configure", lambda _setting: None)
    Path("empty").mkdir(exist_ok=True)
    given = {"--listen": "tcp://127.0.0.1:*", "--forward": "tcp://127.0.0.1:5555"}
    given |= {"--key": "server.key_secret", "--client-keys": "clients"} if role == "server" else {}
    given |= {"--server-key": "server.key"} if role == "client" else {}
    arguments = [word for pair in (given | change).items() for word in pair]
    assert cli.main(["bridge", role, *arguments]) == 2
    assert advice in capsys.readouterr().err


def test_each_listen_needs_its_forward(keys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--server-key", str(keys / "server.key"), "--listen", "a", "--listen", "b", "--forward", "c"]
    assert cli.main(["bridge", "client", *arguments]) == 2
    assert "one --forward for each --listen" in capsys.readouterr().err
