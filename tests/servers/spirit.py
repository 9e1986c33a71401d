"""A real Spirit for tests, a forum on Django: Spirit() as a context manager, on a PostgreSQL of its own; see server.py.

Its packages come from PyPI, as requirements/ pins them, into the cache that kafka.py describes, once.
"""
import hashlib
import os
import re
import secrets
import shutil
import subprocess
import tempfile

from postgres import PostgreSQL
from server import Missing, Server
from visitor import Visitor

from kafka import cached  # where it lies, server.py has said

PYTHON = "/usr/bin/python3"
HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "requirements")
BUILDERS, NEEDED = (os.path.join(HERE, name) for name in ("spirit-builders.txt", "spirit.txt"))
FETCH_TIMEOUT_S = 600
REGISTER, LOGIN = "user/register/", "user/login/"
SETTINGS = """from .prod import *
DATABASES = {{"default": {{"ENGINE": "django.db.backends.postgresql", "HOST": "127.0.0.1", "PORT": {port}, "NAME": "forum",
                         "USER": "owner", "PASSWORD": {password!r}}}}}
SECRET_KEY = {key!r}
ALLOWED_HOSTS = ["127.0.0.1"]
ST_SITE_URL = {url!r}
ST_RATELIMIT_ENABLE = False
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = {mail!r}
ADMINS = ()
"""


def fetch():
    """The folder of Spirit's packages. Raises Missing."""
    digest = hashlib.sha256()
    for path in (BUILDERS, NEEDED):
        with open(path, "rb") as file:
            digest.update(file.read())
    version = _run(PYTHON, "-c", "import sys; print('%d.%d' % sys.version_info[:2])").strip()
    return cached(f"spirit-{version}-{digest.hexdigest()[:16]}", _install)


def _install(folder):
    with tempfile.TemporaryDirectory(prefix="dsard-venv-") as venv:
        _run(PYTHON, "-m", "venv", venv)
        pip = [os.path.join(venv, "bin", "python"), "-m", "pip", "--quiet", "install", "--require-hashes"]
        _run(*pip, "--requirement", BUILDERS)
        # without isolation: the pinned builders build what comes as source
        _run(*pip, "--no-build-isolation", "--use-pep517", "--target", folder, "--requirement", NEEDED)


def _run(*command):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              errors="replace", timeout=FETCH_TIMEOUT_S)
    except FileNotFoundError:
        raise Missing(f"{PYTHON} is not installed; Debian's package is python3-venv") from None
    except subprocess.TimeoutExpired:
        raise Missing(f"PyPI did not answer within {FETCH_TIMEOUT_S} s") from None
    if done.returncode != 0:
        raise Missing("Spirit could not be installed; it needs PyPI and Debian's python3-venv: "
                      + " ".join(done.stderr.split())[-300:])
    return done.stdout


class Spirit(Server):
    """`url` is the forum, `media` its folder of files; `reader` may read "forum" of `database` and no more, with `password`."""

    reader = "reader"

    def find(self):
        self.packages = fetch()
        self.below = self.database = PostgreSQL()
        self.password, self.owner_password, self.key = (secrets.token_hex(16) for _ in range(3))

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"

    @property
    def media(self):
        return os.path.join(self.data, "media")

    def environment(self):
        return {**super().environment(), "PYTHONPATH": self.file("packages"), "DJANGO_SETTINGS_MODULE": "forum.settings.here"}

    def make(self):
        """Whoever runs it may not read the cache: a copy of the packages, and a project."""
        # files are read by others than the forum
        os.chmod(self.data, 0o711)
        shutil.copytree(self.packages, self.file("packages"))
        self.run(PYTHON, "-m", "django", "startproject", "--settings=django.conf.global_settings", "--template",
                 self.file("packages/spirit/extra/project_template"), "forum", self.data)
        self.database.query(f"CREATE ROLE owner LOGIN PASSWORD '{self.owner_password}'")
        self.database.query(f"CREATE ROLE {self.reader} LOGIN PASSWORD '{self.password}'")
        self.database.query("CREATE DATABASE forum OWNER owner")
        self.database.query(f"ALTER DEFAULT PRIVILEGES FOR ROLE owner GRANT SELECT ON TABLES TO {self.reader}", "forum")

    def command(self):
        with open(os.path.join(self.data, "forum", "settings", "here.py"), "w", encoding="utf-8") as file:
            file.write(SETTINGS.format(port=self.database.port, password=self.owner_password, key=self.key, url=self.url,
                                       mail=self.file("data/mail")))
        self.give(file.name)
        self.manage("spiritinstall")
        return [PYTHON, os.path.join(self.data, "manage.py"), "runserver", "--noreload", f"127.0.0.1:{self.port}"]

    def manage(self, *arguments, data=None):
        """Runs a command of the forum's; what it prints."""
        return self.run(PYTHON, os.path.join(self.data, "manage.py"), *arguments, data=data)

    def run_python(self, code):
        """Runs Python code inside the forum's own shell; what it prints."""
        return self.manage("shell", "--no-imports", data=code)

    def probe(self):
        Visitor(self.url).get(LOGIN)

    def visitor(self, name, password):
        """Somebody who has logged in."""
        visitor = Visitor(self.url)
        visitor.get(LOGIN)
        visitor.post(LOGIN, username=name, password=password)
        return visitor

    def register(self, name, address, password):
        """Somebody who comes by the forum's own ways, the letter to their address included, and logs in."""
        visitor = Visitor(self.url)
        visitor.get(REGISTER)
        visitor.post(REGISTER, username=name, email=address, email2=address, password=password)
        visitor.get(re.search(r"user/activation/\S+", self.letter(address)).group())
        return self.visitor(name, password)

    def letter(self, address):
        """The one letter to an address."""
        folder, letters = self.file("data/mail"), []
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                letters.append(file.read())
        letter, = (text for text in letters if f"\nTo: {address}\n" in text)
        return letter
