"""Programs as pyzmq users write them, with nothing changed but the security lines."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading

import zmq

from tests.sockets import QZMQ, endpoint_of, running


def test_a_proxy_between_many_clients_and_workers() -> None:
    with running(QZMQ) as stage, running(QZMQ) as middle:
        front, back = middle.socket(zmq.ROUTER, rcvtimeo=-1), middle.socket(zmq.DEALER, rcvtimeo=-1)
        front.bind("tcp://127.0.0.1:*")
        back.bind("ipc://*")
        workers = [stage.socket(zmq.REP) for _ in range(3)]
        clients = [stage.socket(zmq.REQ) for _ in range(6)]
        for sockets, side in ((clients, front), (workers, back)):
            for each in sockets:
                each.connect(endpoint_of(side))

        def carry() -> None:
            try:
                zmq.proxy(front, back)
            except zmq.ContextTerminated:
                front.close()
                back.close()

        carrying = threading.Thread(target=carry)
        carrying.start()
        for client in clients:
            client.send(b"question")
        poller = zmq.Poller()
        for each in (*workers, *clients):
            poller.register(each, zmq.POLLIN)
        answered = 0
        while answered < len(clients):
            ready = dict(poller.poll(10_000))
            assert ready
            for worker in set(workers) & ready.keys():
                worker.send(worker.recv() + b", answered")
            for client in set(clients) & ready.keys():
                assert client.recv() == b"question, answered"
                answered += 1
        middle.context.term()
        carrying.join(10)
        assert not carrying.is_alive()


def test_a_heartbeat_passes_from_end_to_end() -> None:
    """PING and PONG are traffic like any other: a session with nothing to say stays."""
    with running(QZMQ) as stage:
        beat = {"heartbeat_ivl": 20, "heartbeat_timeout": 2000}
        pull, push = stage.socket(zmq.PULL, **beat), stage.socket(zmq.PUSH, **beat)
        monitor = pull.get_monitor_socket(zmq.Event.DISCONNECTED)
        stage.sockets.append(monitor)
        pull.bind("tcp://127.0.0.1:*")
        push.connect(endpoint_of(pull))
        push.send(b"message")
        assert pull.recv() == b"message"
        assert not monitor.poll(300)


FORKING = textwrap.dedent("""
    import os, sys, zmq, qzmq_ref
    public, secret = qzmq_ref.keypair()
    context = qzmq_ref.Context()
    server, client = context.socket(zmq.REP), context.socket(zmq.REQ)
    server.qzmq_secretkey = secret
    server.bind("tcp://127.0.0.1:*")
    client.qzmq_serverkey = public
    client.connect(server.last_endpoint.decode())
    client.send(b"before")
    server.send(server.recv())
    child = os.fork()
    if not child:
        sys.exit(7)  # runs what is registered for the end of the process
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert client.recv() == b"before"
    client.send(b"after")
    server.send(server.recv())
    assert client.recv() == b"after"
    context.destroy()
""")


def test_a_forked_child_ends_without_harm() -> None:
    subprocess.run([sys.executable, "-c", FORKING], check=True, timeout=20)


UNTIDY = textwrap.dedent("""
    import sys, zmq, qzmq_ref
    public, secret = qzmq_ref.keypair()
    context = qzmq_ref.Context.instance()
    server, client = context.socket(zmq.PULL), context.socket(zmq.PUSH)
    server.qzmq_secretkey = secret
    server.bind("tcp://127.0.0.1:*")
    client.qzmq_serverkey = public
    client.connect(server.last_endpoint.decode())
    client.send(b"message")
    print(server.recv().decode())
""")


def test_a_program_may_end_without_closing_anything() -> None:
    ended = subprocess.run([sys.executable, "-c", UNTIDY], check=True, timeout=20, capture_output=True, text=True)
    assert (ended.stdout, ended.stderr) == ("message\n", "")
