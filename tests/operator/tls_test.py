"""The gRPC port's TLS as an operator sees it: real grpcurl over TLS and mTLS, and certificates that are renewed while the server runs."""

import os
import signal
import subprocess
import tempfile
import unittest

from tests.house import junit
from tests.operator import world
from tests.operator.world import SERVICE, output, until


class Authority:
    """Signs certificates, as files of a folder of its own."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self._openssl("req", "-x509", *self._new(name), "-days", "2", "-subj", "/CN=" + name)

    def path(self, name, kind="pem"):
        return os.path.join(self.folder, "%s-%s.%s" % (self.name, name, kind))

    def _new(self, name):
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", self.path(name, "key"), "-out", self.path(name))

    def _openssl(self, *words):
        subprocess.run(("openssl",) + words, capture_output=True, check=True)

    @property
    def pem(self):
        return self.path(self.name)

    def issue(self, name, alternative):
        """-> paths of certificate and key."""
        request, names = self.path(name, "csr"), self.path(name, "ext")
        self._openssl("req", *self._new(name)[:-1], request, "-subj", "/CN=" + name)
        with open(names, "w", encoding="utf-8") as out:
            out.write("subjectAltName=" + alternative)
        self._openssl("x509", "-req", "-in", request, "-CA", self.pem, "-CAkey", self.path(self.name, "key"), "-CAcreateserial", "-out", self.path(name),
                      "-days", "2", "-extfile", names)
        return self.path(name), self.path(name, "key")


@unittest.skipUnless(world.grpcurl_program(), "there is no grpcurl, and no Go toolchain to build it")
class TlsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(folder.cleanup)
        self.files = {name: os.path.join(folder.name, name + ".pem") for name in ("cert", "key", "ca")}
        self.first, self.second = Authority(folder.name, "first"), Authority(folder.name, "second")
        self.install(self.first)
        flags = ["--grpc_tls_cert=" + self.files["cert"], "--grpc_tls_key=" + self.files["key"], "--grpc_tls_client_ca=" + self.files["ca"]]
        self.world = world.World(*flags)
        self.addCleanup(self.world.close)

    def install(self, authority, key_of=None):
        """Where the server reads them."""
        cert, key = authority.issue("server", "DNS:localhost,IP:127.0.0.1")
        if key_of:
            key = key_of.issue("other", "DNS:localhost")[1]
        for name, source in (("cert", cert), ("key", key), ("ca", authority.pem)):
            with open(source, encoding="utf-8") as text, open(self.files[name], "w", encoding="utf-8") as out:
                out.write(text.read())

    def reload(self, word):
        self.world.server.signal(signal.SIGHUP)
        until(word, lambda: word in self.world.server.text())

    def ask(self, trusts, shows=None):
        """Whether ListCalls is answered to somebody who trusts that authority and shows a certificate of that one."""
        words = [world.grpcurl_program(), "-cacert", trusts.pem, "-max-time", "20"]
        if shows:
            cert, key = shows.issue("crm", "DNS:crm.example")
            words += ["-cert", cert, "-key", key]
        status, _, _ = output(words + [self.world.address, SERVICE + "ListCalls"])
        return status == 0

    def test_certificates_are_renewed_while_it_runs(self):
        self.assertTrue(self.ask(self.first, self.first))
        self.assertFalse(self.ask(self.first), "shows none")
        self.assertFalse(self.ask(self.second, self.first), "does not believe the server")
        self.assertFalse(self.ask(self.first, self.second), "is not believed")
        # Half renewed: the key is another's.
        self.install(self.second, key_of=self.first)
        self.reload("the TLS files cannot be used")
        self.assertIn("--grpc_tls_key", self.world.server.text())
        self.assertTrue(self.ask(self.first, self.first), "what it had still holds")
        self.install(self.second)
        self.reload("the TLS files are read again")
        self.assertTrue(self.ask(self.second, self.second))
        self.assertFalse(self.ask(self.first, self.first), "the former authority is nobody any more")


if __name__ == "__main__":
    junit.main()
