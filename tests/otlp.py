"""A receiver of spans by OTLP over HTTP, and what it received."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass
class Collector:
    """Where it listens, and the bodies that it received."""

    address: str
    received: list[bytes] = field(default_factory=list)

    def spans(self):
        """Every span: its name, kind, parent, status and attributes."""
        found = []
        for body in self.received:
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                found += [span for scope in resource.scope_spans for span in scope.spans]
        return found

    def text(self):
        return b"".join(self.received).decode("latin-1")


@contextlib.contextmanager
def collecting():
    """Receive until the block ends."""
    collector = Collector("")

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            collector.received.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    collector.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield collector
    server.shutdown()
    server.server_close()


def attributes(span):
    def value(of):
        kind = of.WhichOneof("value")
        plain = getattr(of, kind)
        return [value(each) for each in plain.values] if kind == "array_value" else plain

    return {each.key: value(each.value) for each in span.attributes}
