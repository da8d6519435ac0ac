# SPDX-License-Identifier: Apache-2.0
"""A server that keeps what it is given: GET, HEAD, PUT, DELETE, with ETags and conditions (RFC 9110
13.1). A reply for ScriptedServer."""
import hashlib
import threading


def head_of(request):
    """(method, path, {name: value}, what was read behind the head)"""
    head, rest = request.split(b"\r\n\r\n", 1)
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ")
    fields = (line.split(":", 1) for line in lines)
    return method, path, {name.lower(): value.strip() for name, value in fields}, rest


def read_chunks(data, connection):
    body = b""
    while True:
        while b"\r\n" not in data:
            data += connection.recv(65536)
        size, data = data.split(b"\r\n", 1)
        size = int(size, 16)
        while len(data) < size + 2:
            data += connection.recv(65536)
        if size == 0:
            return body
        body, data = body + data[:size], data[size + 2:]


def read_body(fields, rest, connection):
    if "100-continue" in fields.get("expect", ""):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    if "chunked" in fields.get("transfer-encoding", ""):
        return read_chunks(rest, connection)
    size = int(fields.get("content-length", 0))
    while len(rest) < size:
        more = connection.recv(65536)
        if not more:
            break
        rest += more
    return rest


class Objects:
    """`objects` maps paths to bytes."""

    def __init__(self, **objects):
        self.objects = {f"/{name}": body for name, body in objects.items()}
        self.seen, self.lock = [], threading.Lock()

    def etag(self, path):
        return f'"{hashlib.md5(self.objects[path]).hexdigest()}"'

    def methods(self, path):
        return [method for method, where, _ in self.seen if where == path]

    def __call__(self, request, connection):
        method, path, fields, rest = head_of(request)
        body = read_body(fields, rest, connection) if method == "PUT" else b""
        with self.lock:
            self.seen.append((method, path, fields))
            status, headers, answer = self.answer(method, path, fields, body)
        # Each connection is for one request: who says so is not asked over one that is closing.
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(answer)}", "Connection: close",
                 *headers, "", ""]
        return "\r\n".join(lines).encode() + (b"" if method == "HEAD" else answer)

    def answer(self, method, path, fields, body):
        is_there = path in self.objects
        if fields.get("if-none-match") == "*" and is_there:
            return "412 Precondition Failed", [], b""
        if "if-match" in fields and not (is_there and fields["if-match"] == self.etag(path)):
            return "412 Precondition Failed", [], b""
        if method == "PUT":
            self.objects[path] = body
            return ("204 No Content" if is_there else "201 Created"), [], b""
        if not is_there:
            return "404 Not Found", [], b""
        headers = [f"ETag: {self.etag(path)}"]
        if fields.get("if-none-match") in (self.etag(path), "W/" + self.etag(path)):
            return "304 Not Modified", headers, b""
        if method == "DELETE":
            del self.objects[path]
            return "204 No Content", [], b""
        return "200 OK", headers, self.objects[path]
