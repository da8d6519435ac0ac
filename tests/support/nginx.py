# SPDX-License-Identifier: Apache-2.0
"""A real nginx on loopback: HTTP/1.1, TLS, HTTP/2 over TLS and over plain TCP."""
import http.client
import itertools
import os
import pathlib
import socket
import subprocess
import time

from support.peers import require_program

_CONFIGURATION = """
daemon off; master_process off; pid {work}/pid; error_log {work}/error.log;
worker_rlimit_nofile 4096;
events {{ worker_connections 2048; }}
http {{
    log_format short '$connection $server_protocol $status $request_uri';
    access_log {work}/access.log short;
    client_body_temp_path {work}/body; proxy_temp_path {work}/proxy;
    fastcgi_temp_path {work}/fastcgi; uwsgi_temp_path {work}/uwsgi; scgi_temp_path {work}/scgi;
    default_type application/octet-stream; sendfile on;
    ssl_certificate {certificate}; ssl_certificate_key {key};
    server {{
        listen 127.0.0.1:{http}; listen 127.0.0.1:{https} ssl; listen 127.0.0.1:{h2} ssl http2;
        listen 127.0.0.1:{h2c} http2;
        root {root};
        location /moved/ {{ rewrite ^/moved/(.*)$ /$1 redirect; }}
        location /zipped/ {{ gzip on; gzip_min_length 1; gzip_types *; alias {root}/; }}
        location /dav/ {{ dav_methods PUT DELETE; client_max_body_size 100m; }}
        location /packages/ {{ dav_methods PUT DELETE; create_full_put_path on; client_max_body_size 100m; }}
        location /dav/small/ {{ dav_methods PUT DELETE; client_max_body_size 1k; }}
        location /private/ {{ auth_basic "x"; auth_basic_user_file {work}/users; alias {root}/; }}
    }}
}}
"""


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Nginx:
    KINDS = {"http": "http", "https": "https", "h2": "https", "h2c": "http"}

    def __init__(self, work, certificates):
        self.work, self.root = pathlib.Path(work), pathlib.Path(work) / "root"
        self.marks = itertools.count()
        self.root.mkdir()
        self.ports = dict(zip(self.KINDS, free_ports(4)))
        (self.work / "users").write_text("me:{PLAIN}secret word\n")
        (self.work / "conf").write_text(_CONFIGURATION.format(
            work=self.work, root=self.root, certificate=certificates.path("good"),
            key=certificates.path("good", "key"), **self.ports))
        path = os.environ["PATH"]
        os.environ["PATH"] = path + ":/usr/sbin"
        program = require_program("nginx")
        os.environ["PATH"] = path
        self.process = subprocess.Popen([program, "-p", self.work, "-c", self.work / "conf"],
                                        stderr=subprocess.DEVNULL)
        self._wait()

    def _wait(self):
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.ports["http"]), 1).close()
                return
            except OSError:
                assert self.process.poll() is None, (self.work / "error.log").read_text()
                time.sleep(0.02)
        raise AssertionError("nginx does not listen")

    def url(self, path, kind="http"):
        return f"{self.KINDS[kind]}://127.0.0.1:{self.ports[kind]}{path}"

    def log(self):
        """The lines so far. nginx writes one when its answer is gone, which is after the client has
        it: so a request of our own is sent, and waited for, behind all others."""
        mark, end = f"/mark-{next(self.marks)}", time.monotonic() + 20
        client = http.client.HTTPConnection("127.0.0.1", self.ports["http"], timeout=20)
        client.request("GET", mark)
        client.getresponse().read()
        client.close()
        while True:
            lines = (self.work / "access.log").read_text().splitlines()
            if any(line.endswith(f" {mark}") for line in lines):
                return [line for line in lines if " /mark-" not in line]
            assert time.monotonic() < end, lines[-5:]
            time.sleep(0.005)

    def close(self):
        self.process.terminate()
        self.process.wait(20)
