"""A real MariaDB for tests: MariaDB(tls=False) as a context manager; see server.py."""
import os
import shutil

from server import Missing, Server

ADMIN = "root"


class MariaDB(Server):
    """The administrator comes in by the socket, without a password."""

    def find(self):
        self.mariadbd = shutil.which("mariadbd", path=os.defpath + ":/usr/sbin")
        self.installer, self.client = shutil.which("mariadb-install-db"), shutil.which("mariadb")
        if not (self.mariadbd and self.installer and self.client):
            raise Missing("MariaDB is not installed; Debian's packages are mariadb-server-core and mariadb-client-core")

    @property
    def socket(self):
        return self.file("socket")

    def make(self):
        self.run(self.installer, "--no-defaults", "--datadir=" + self.data, "--auth-root-authentication-method=normal",
                 "--skip-test-db", "--skip-name-resolve")

    def command(self):
        tls = [f"--ssl-ca={self.file('ca.pem')}", f"--ssl-cert={self.file('server.pem')}",
               f"--ssl-key={self.file('server.key')}"] if self.tls else []
        return [self.mariadbd, "--no-defaults", "--datadir=" + self.data, "--socket=" + self.socket, "--port",
                str(self.port), "--bind-address=127.0.0.1", "--pid-file=" + self.file("pid"), "--skip-name-resolve",
                "--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=0", "--performance-schema=OFF",
                "--character-set-server=utf8mb4", "--max-allowed-packet=64M", "--plugin-maturity=unknown", *tls]

    def query(self, sql, database=""):
        """Runs SQL as the administrator; what it prints, a line a row, columns separated by tabs."""
        return self.run(self.client, "--no-defaults", "--socket=" + self.socket, "--user=" + ADMIN, "--batch",
                        "--skip-column-names", "--raw", "--binary-mode", "--default-character-set=utf8mb4",
                        *([database] if database else []), data=sql)
