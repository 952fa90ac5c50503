"""`--scheduler` where something else answers, or a worker cannot: one line, no waiting for ever."""

import contextlib
import socket
import threading

import pytest

from reglab.errors import ReglabError

distributed = pytest.importorskip("distributed")
cluster = pytest.importorskip("reglab.study.cluster")

WEB = b"HTTP/1.0 400 Bad request\r\nContent-Type: text/html\r\n\r\n<p>Bad request</p>\r\n"


@contextlib.contextmanager
def answering(words):
    """Accept connections on a port, say ``words`` on each (b"" = nothing), and keep them open."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held = []

        def serve():
            with contextlib.suppress(OSError):  # closed
                while True:
                    connection, _ = server.accept()
                    held.append(connection)
                    connection.sendall(words)

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        finally:
            server.shutdown(socket.SHUT_RDWR)  # ends the accept that the thread waits in
            for connection in held:
                connection.close()


@pytest.mark.parametrize("words", [b"", WEB], ids=["silence", "a web server"])
def test_what_is_no_scheduler_is_given_up(words, monkeypatch):
    monkeypatch.setattr(cluster, "TIMEOUT", 2)
    with (
        answering(words) as address,
        pytest.raises(ReglabError, match=f"no Dask scheduler answers at '{address}'") as caught,
        cluster.connect(address, []),
    ):
        pass
    assert "\n" not in str(caught.value)


def test_an_error_without_words_has_a_name():
    assert cluster._detail(OSError("a\nb"), "nothing", 5) == "a"
    assert cluster._detail(TimeoutError(), "nothing", 5) == "nothing within 5 s"
    assert cluster._detail(ConnectionResetError(), "nothing", 5) == "ConnectionResetError"


@pytest.mark.parametrize("words", [b"", WEB], ids=["silence", "a web server"])
def test_a_worker_behind_a_firewall_is_one_line(words, monkeypatch):
    """It has found the scheduler, which does not find it: something else is at its address."""
    if not words:  # nobody will ever answer: there is no need to wait for long
        monkeypatch.setattr(cluster, "ANSWER", 0.1)
    nobody = {"n_workers": 0, "host": "127.0.0.1", "dashboard_address": ":0"}
    with answering(words) as address, distributed.LocalCluster(**nobody) as empty:

        async def start():
            return await distributed.Worker(empty.scheduler_address, contact_address=address)

        worker = empty.sync(start)
        with (
            pytest.raises(ReglabError, match="cannot be reached from the scheduler") as caught,
            cluster.connect(empty.scheduler_address, []),
        ):
            pass
        empty.sync(worker.close, nanny=False, executor_wait=False)
    assert "\n" not in str(caught.value)
