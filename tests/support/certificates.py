# SPDX-License-Identifier: Apache-2.0
"""Certificates of every kind that a client must accept or refuse, made by openssl when first
asked for."""
import base64
import hashlib
import pathlib
import ssl
import subprocess

from support.peers import require_program

_CA = """
[ca]
default_ca = here
[here]
database = {dir}/{name}.index
rand_serial = yes
new_certs_dir = {dir}
default_md = sha256
policy = any
[any]
commonName = supplied
"""


class Certificates:
    def __init__(self, directory):
        self.dir = pathlib.Path(directory)
        self.openssl = require_program("openssl")
        for name in ("ca", "other-ca", "self-signed"):
            self._run("req", "-x509", *self._new_key(name), "-days", "30", "-out",
                      self.path(name), "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        self.issue("good")
        self.issue("wrong-name", names="DNS:elsewhere.test")
        self.issue("wrong-use", use="clientAuth")
        self.issue("unknown-ca", authority="other-ca")
        self.issue("client", use="clientAuth")
        self.issue("other-client", use="clientAuth")
        self.issue("expired", dates=("20200101000000Z", "20210101000000Z"))
        self.issue("future", dates=("20400101000000Z", "20450101000000Z"))
        self.path("empty").touch()

    def path(self, name, kind="pem"):
        return self.dir / f"{name}.{kind}"

    def _run(self, *arguments, **options):
        return subprocess.run([self.openssl, *arguments], check=True, capture_output=True,
                              timeout=60, **options)

    def _new_key(self, name):
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                self.path(name, "key"), "-subj", f"/CN={name}"]

    def issue(self, name, authority="ca", names="DNS:localhost,IP:127.0.0.1,IP:::1",
              use="serverAuth", dates=None):
        extensions = self.path(name, "ext")
        extensions.write_text(f"subjectAltName={names}\nextendedKeyUsage={use}\n"
                              "basicConstraints=CA:FALSE\n")
        self.path(name, "index").touch()
        self.path(name, "cnf").write_text(_CA.format(dir=self.dir, name=name))
        self._run("req", *self._new_key(name), "-out", self.path(name, "csr"))
        period = ["-startdate", dates[0], "-enddate", dates[1]] if dates else ["-days", "30"]
        self._run("ca", "-batch", "-notext", "-config", self.path(name, "cnf"),
                  "-cert", self.path(authority), "-keyfile", self.path(authority, "key"),
                  "-in", self.path(name, "csr"), "-out", self.path(name), *period,
                  "-extfile", extensions)

    def server(self, name, wants_client=False, versions=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path(name), self.path(name, "key"))
        if wants_client:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.path("ca"))
        if versions:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version, context.maximum_version = versions
        return context

    def pin(self, name):
        """What --pinnedpubkey takes: the digest of the public key (RFC 7469)."""
        public = self._run("x509", "-in", self.path(name), "-pubkey", "-noout").stdout
        der = self._run("pkey", "-pubin", "-outform", "der", input=public).stdout
        return "sha256//" + base64.b64encode(hashlib.sha256(der).digest()).decode()
