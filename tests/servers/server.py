"""What the servers for tests have in common: a process of an unprivileged user with its data, socket, log and
certificates in a folder of its own, which is stopped by its number and removed."""
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "kafka"))
from kafka import die_with_parent  # noqa: E402

# both servers refuse to run as root
UNPRIVILEGED = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
START_TIMEOUT_S = 60


class Missing(Exception):
    """The server is not installed."""


def free_port():
    with socket.socket() as each:
        each.bind(("127.0.0.1", 0))
        return each.getsockname()[1]


def _children(parent):
    with open(f"/proc/{parent}/task/{parent}/children", encoding="ascii") as children:
        return [int(pid) for pid in children.read().split()]


class Server:
    """One server; start() makes its folder, close() removes it. It dies with the thread that started it.

    A subclass says where its programs are (find), and has make(), command(), and query() or a probe() of its own. What stands on
    another server names it `below`: that one is started before it and closed behind it."""

    below = None

    def __init__(self, tls=False):
        self.find()
        self.tls, self.process, self.port = tls, None, None
        self.folder = tempfile.mkdtemp(prefix="dsard-db-")
        self.data, self.log_path = (os.path.join(self.folder, name) for name in ("data", "server.log"))
        os.mkdir(self.data, 0o700)

    def __enter__(self):
        try:
            if self.below:
                self.below.__enter__()
            self.make_certificates()
            if UNPRIVILEGED:
                shutil.chown(self.folder, UNPRIVILEGED["user"], UNPRIVILEGED["group"])
                for name in os.listdir(self.folder):
                    shutil.chown(os.path.join(self.folder, name), UNPRIVILEGED["user"], UNPRIVILEGED["group"])
            os.chmod(self.folder, 0o711)
            self.make()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def url(self):
        """Of what speaks HTTP."""
        return f"http://127.0.0.1:{self.port}"

    def give(self, path):
        """Makes a file or folder of ours the server's."""
        if UNPRIVILEGED:
            shutil.chown(path, UNPRIVILEGED["user"], UNPRIVILEGED["group"])

    def environment(self):
        """Ours, but for where it may write."""
        return {**os.environ, "TMPDIR": self.folder}

    def run(self, *arguments, data=None):
        """Runs a program as the server's user, which must succeed; its output."""
        done = subprocess.run(arguments, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=600, cwd=self.folder, env=self.environment(), **UNPRIVILEGED,
                              **({} if data is not None else {"stdin": subprocess.DEVNULL}))
        if done.returncode != 0:
            raise RuntimeError(f"{arguments[0]}: status {done.returncode}: {done.stdout[-500:]}{done.stderr[-2000:]}")
        return done.stdout

    def start(self):
        """Starts it, or starts it again on the same port and data."""
        for _ in range(3):
            self.port = self.port or free_port()
            with open(self.log_path, "ab") as log:
                self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                                cwd=self.folder, env=self.environment(), start_new_session=True,
                                                preexec_fn=die_with_parent(os.getpid()), **UNPRIVILEGED)
            if self.wait():
                return
            self.stop()
            # another process may have taken the port between choosing and binding it
            if "already in use" not in self.log():
                break
            self.port = None
        raise RuntimeError(f"the server did not start: {self.log()[-3000:]}")

    def probe(self):
        """Asks it something, which fails until it is there."""
        self.query("SELECT 1")

    def answers(self):
        try:
            self.probe()
        except (OSError, RuntimeError):
            return False
        return True

    def wait(self):
        deadline = time.monotonic() + START_TIMEOUT_S
        while self.process.poll() is None and time.monotonic() < deadline:
            if self.answers():
                return True
            time.sleep(0.05)
        return False

    def stop(self, number=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def signal(self, number):
        """To its process and those that it has started."""
        for pid in [self.process.pid, *_children(self.process.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def suspend(self):
        """It answers nobody any more, but keeps its connections."""
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    def close(self):
        if self.process and self.process.poll() is None:
            self.resume()
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.below:
            self.below.close()

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def file(self, name):
        """The path of a file of its folder: ca.pem, client.pem, client.key, …"""
        return os.path.join(self.folder, name)

    def make_certificates(self):
        """A private authority with a certificate for "localhost" and one for a client, and a stranger's authority."""
        if not self.tls:
            return
        for authority in ("ca", "stranger"):
            self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                          "-subj", f"/CN=test {authority}", "-keyout", self.file(f"{authority}.key"), "-out",
                          self.file(f"{authority}.pem"))
        self._certificate("server", "/CN=localhost", "subjectAltName=DNS:localhost")
        self._certificate("client", "/CN=exporter", "extendedKeyUsage=clientAuth")

    def _certificate(self, name, subject, extension):
        with open(self.file(f"{name}.ext"), "w", encoding="ascii") as file:
            file.write(extension + "\n")
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject, "-keyout",
                      self.file(f"{name}.key"), "-out", self.file(f"{name}.csr"))
        self._openssl("x509", "-req", "-days", "2", "-in", self.file(f"{name}.csr"), "-CA", self.file("ca.pem"), "-CAkey",
                      self.file("ca.key"), "-CAcreateserial", "-extfile", self.file(f"{name}.ext"), "-out",
                      self.file(f"{name}.pem"))

    @staticmethod
    def _openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=60)
