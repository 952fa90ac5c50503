"""`--scheduler` with an address where something else answers: one line, and no waiting for ever."""

import contextlib
import socket
import threading

import pytest

from reglab.errors import ReglabError

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
