"""A real PostgreSQL for tests: PostgreSQL(tls=False) as a context manager; see server.py."""
import glob
import os
import shutil
import signal

from server import Missing, Server

ADMIN = "admin"


class PostgreSQL(Server):
    """The administrator comes in by the socket, which is `folder`, without a password; by TCP everybody needs one."""

    def find(self):
        # Debian keeps them apart by version, outside of the path
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))
        self.programs = found[-1] if found else os.path.dirname(shutil.which("initdb") or "")
        if not self.programs:
            raise Missing("PostgreSQL is not installed; Debian's package is postgresql")

    def program(self, name):
        return os.path.join(self.programs, name)

    def make(self):
        self.run(self.program("initdb"), "--pgdata", self.data, "--username", ADMIN, "--auth-local=trust",
                 "--auth-host=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")

    def command(self):
        settings = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": self.folder,
                    "fsync": "off", "shared_buffers": "32MB"}
        if self.tls:
            settings.update(ssl="on", ssl_ca_file=self.file("ca.pem"), ssl_cert_file=self.file("server.pem"),
                            ssl_key_file=self.file("server.key"))
        return [self.program("postgres"), "-D", self.data, *(f"--{name}={value}" for name, value in settings.items())]

    def query(self, sql, database="postgres"):
        """Runs SQL as the administrator; what it prints, a line a row, columns separated by tabs."""
        return self.run(self.program("psql"), "--no-psqlrc", "--host", self.folder, "--port", str(self.port), "--username",
                        ADMIN, "--set", "ON_ERROR_STOP=1", "--quiet", "--tuples-only", "--no-align", "--field-separator",
                        "\t", "--dbname", database, data=sql)

    def stop(self, number=signal.SIGINT):
        """SIGINT: it does not wait for its clients."""
        super().stop(number)
