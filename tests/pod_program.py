"""What the tests' pods run: a web server that shows what its pod was given."""

from __future__ import annotations

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

statuses: dict[str, int] = {}


class Shows(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        found = {
            "/env": lambda: json.dumps(dict(os.environ)),
            "/args": lambda: json.dumps(sys.argv[1:]),
            "/file": lambda: Path(urlsplit(self.path).query).read_text(),
        }
        body = found.get(path, lambda: os.environ["POD"])()
        self.send_response(statuses.get(path, 200))
        self.end_headers()
        self.wfile.write(body.encode())

    def do_POST(self) -> None:
        """POST /live?500 makes GET /live answer 500."""
        statuses[urlsplit(self.path).path] = int(urlsplit(self.path).query)
        self.send_response(204)
        self.end_headers()


if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("serving", os.environ["POD"], flush=True)  # noqa: T201
ThreadingHTTPServer((os.environ["HOST"], 8080), Shows).serve_forever()
