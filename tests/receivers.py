"""A real mail server and a real HTTP receiver on free local ports, which keep what arrives."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from aiosmtpd.controller import Controller

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage


@dataclass
class Post:
    """Keeps letters; refuses everything while `closed`. aiosmtpd calls it for each message."""

    letters: list[EmailMessage] = field(default_factory=list)
    closed: bool = False
    unknown: set[str] = field(default_factory=set)
    """Addresses it refuses."""
    url: str = ""

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address in self.unknown:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 known"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.closed:
            return "451 try again later"
        self.letters.append(message_from_bytes(envelope.content, policy=default))  # type: ignore[arg-type]
        return "250 taken"


@dataclass
class Receiver:
    """Keeps what was posted: path, key and body. Answers as told for the path, else 200 and `{}`; a GET 200 too."""

    posted: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    answers: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    """Paths that redirect, and where to."""
    garbled: set[str] = field(default_factory=set)
    """Paths whose answer is no HTTP."""
    url: str = ""

    def keys(self, path: str) -> list[str]:
        return [key for at, key, _ in self.posted if at.partition("?")[0] == path]


@contextmanager
def mail_server(**given: Any) -> Iterator[Post]:
    """A mail server; `given` goes to aiosmtpd's controller, for example a TLS context."""
    post = Post()
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    controller = Controller(post, hostname="127.0.0.1", port=port, **given)
    controller.start()
    post.url = f"smtp://127.0.0.1:{port}"
    try:
        yield post
    finally:
        controller.stop()


@contextmanager
def http_receiver() -> Iterator[Receiver]:
    """A web server that takes every POST."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.posted.append((self.path, self.headers["Idempotency-Key"] or "", json.loads(body)))
            status, said = receiver.answers.get(self.path.partition("?")[0], (200, {}))
            path = self.path.partition("?")[0]
            if path in receiver.garbled:
                self.wfile.write(b"what is this\r\n\r\n")
                self.close_connection = True
                return
            text = json.dumps(said).encode()
            self.send_response(status)
            if path in receiver.moved:
                self.send_header("Location", receiver.moved[path])
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def do_GET(self) -> None:
            self.send_response(200)  # as a login page does
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its own name
            """Not on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
