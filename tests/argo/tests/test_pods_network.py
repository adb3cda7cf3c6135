"""What a pod reaches: the listed ports of this machine's loopback interface, and nothing else."""

import socket
import threading

import pytest
from podwork import seen

pytestmark = pytest.mark.needs("namespaces")


class Echo:
    """A server on a free port of the loopback interface that answers with what it was sent, once all of it is there."""

    def __enter__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.close()

    def serve(self):
        while True:
            try:
                connection = self.server.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection):
        with connection:
            data = bytearray()
            while received := connection.recv(1 << 16):
                data += received
            connection.sendall(data)


ASK = """
    import hashlib, json, os, socket, threading
    def ask(port, size):
        data = os.urandom(size)
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=60) as server:
                sender = threading.Thread(target=lambda: (server.sendall(data), server.shutdown(socket.SHUT_WR)))
                sender.start()
                back = bytearray()
                while received := server.recv(1 << 16):
                    back += received
                sender.join()
            return back == data
        except OSError as error:
            return type(error).__name__
"""


def test_a_listed_port_is_reached_and_no_other_nor_the_world_outside(image):
    code = (
        ASK
        + """
    def outside():
        try:
            socket.create_connection(("192.0.2.1", 80), timeout=5)
        except OSError as error:
            return error.strerror
    print(json.dumps([ask({listed}, 10), ask({listed}, 0), ask({other}, 10), outside()]))
    """
    )
    with Echo() as listed, Echo() as other:
        code = code.replace("{listed}", str(listed.port)).replace("{other}", str(other.port))
        assert seen(code, image, ports=[listed.port]) == [True, True, "ConnectionRefusedError", "Network is unreachable"]


def test_many_connections_carry_much_at_the_same_time(image):
    code = (
        ASK
        + """
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(8) as pool:
        print(json.dumps(list(pool.map(lambda size: ask({listed}, size), [1 << 22, 1, 1 << 20, 0] * 4))))
    """
    )
    with Echo() as listed:
        assert seen(code.replace("{listed}", str(listed.port)), image, ports=[listed.port]) == [True] * 16


def test_a_port_where_nobody_listens_ends_the_connection(image):
    code = """
        import json, socket
        with socket.create_connection(("127.0.0.1", {port}), timeout=60) as server:
            try:
                told = server.recv(1).decode()
            except ConnectionError:
                told = ""
        print(json.dumps(told))
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert seen(code.replace("{port}", str(port)), image, ports=[port]) == ""
