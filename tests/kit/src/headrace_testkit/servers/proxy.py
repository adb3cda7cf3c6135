"""A proxy in front of an HTTP server: counts the requests, and loses the answers that it is told to lose, after the server has acted on them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

_OF_THE_CONNECTION = {"connection", "expect", "keep-alive", "transfer-encoding"}


class Seen(NamedTuple):
    """A request: its method, path and query (both unquoted), headers with lower-case names, size of its body, and the status answered."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    size: int
    status: int


class Proxy:
    """`endpoint` is where to send requests; `seen` those that were answered, in the order of the answers. Set `lose` to lose answers."""

    def __init__(self, endpoint: str, upstream: str) -> None:
        self.endpoint = endpoint
        self.upstream = upstream
        self.seen: list[Seen] = []
        self.lose: Callable[[Seen], bool] = lambda seen: False

    def count(self) -> dict[str, int]:
        """How many requests of each method were answered."""
        return dict(Counter(each.method for each in self.seen))

    def lose_next(self, matches: Callable[[Seen], bool], times: int = 1) -> None:
        """Lose the answers of the next `times` requests that match."""
        left = iter(range(times))
        self.lose = lambda seen: matches(seen) and next(left, None) is not None


@contextmanager
def proxy(upstream: str) -> Iterator[Proxy]:
    """A proxy for the URL `upstream`, on a thread for each connection of this process."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    made = Proxy(f"http://127.0.0.1:{server.server_address[1]}", upstream)
    server.made = made  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream: HTTPConnection | None = None

    def handle_any(self) -> None:
        """Pass one request on, and its answer back."""
        made: Proxy = self.server.made  # type: ignore[attr-defined]
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size)
        if self.upstream is None:
            self.upstream = HTTPConnection(urlsplit(made.upstream).netloc, timeout=60)
        # the host stays as it was: it is part of what was signed
        self.upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in _OF_THE_CONNECTION:
                self.upstream.putheader(name, value)
        self.upstream.endheaders(body)
        answer = self.upstream.getresponse()
        data = answer.read()
        if answer.will_close:
            self.upstream.close()
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.command, unquote(path), unquote(query), headers, size, answer.status)
        made.seen.append(seen)
        if made.lose(seen):
            self.close_connection = True
            return
        self.send_response_only(answer.status, answer.reason)
        sized = self.command == "HEAD" or answer.status in (204, 304)
        for name, value in answer.getheaders():
            if name.lower() not in _OF_THE_CONNECTION and (sized or name.lower() != "content-length"):
                self.send_header(name, value)
        if not sized:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any  # noqa: N815 - names that the base class looks for

    def finish(self) -> None:
        """The connection has ended; the one to the server ends with it."""
        if self.upstream is not None:
            self.upstream.close()
        super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""
