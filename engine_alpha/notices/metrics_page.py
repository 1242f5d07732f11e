"""`http://127.0.0.1:PORT/metrics`: the figures, for this machine only."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from engine_alpha.notices.exposition import CONTENT_TYPE

ADDRESS, PATH = "127.0.0.1", "/metrics"
PATIENCE_S = 10.0
"""A reader that says nothing for so long is hung up on."""


class MetricsPage:
    """A page in threads of its own; trading neither waits for it nor ends with it. Raises `OSError`."""

    def __init__(self, port: int, page: Callable[[], str]) -> None:
        self._server = _Server((ADDRESS, port), _handler(page))
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let go of the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a reader that goes away is no trouble of ours."""


def _handler(page: Callable[[], str]) -> type[BaseHTTPRequestHandler]:
    class Showing(BaseHTTPRequestHandler):
        timeout = PATIENCE_S
        server_version, sys_version = "chloe", ""

        def do_GET(self) -> None:
            """Show the figures."""
            found = self.path.split("?", 1)[0] == PATH
            body = (page() if found else f"the figures are at {PATH}\n").encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", CONTENT_TYPE if found else "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing: it would be a line every 15 seconds."""

    return Showing
