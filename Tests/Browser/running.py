"""A BitBot of a test's own: the real program, on a free port, with its data in a temporary folder."""

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("BITBOT_PROGRAM", str(ROOT / ".build/debug/bitbot"))
PASSWORD = "four unrelated words"
PATIENCE = 60


def eventually(look, what, timeout=PATIENCE):
    """Waits until `look()` gives something true, and gives that."""
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {timeout} s: {what}")


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Refused(Exception):
    """What the API says when it does not do something."""

    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body


class BitBot:
    """The program. Its pages are at `http://localhost:PORT`, while the sandbox's portal is at 127.0.0.1: another site."""

    def __init__(self, sandbox=True, folder=None):
        self.is_kept = folder is not None
        self.folder = Path(folder or tempfile.mkdtemp(prefix="bitbot-browser-"))
        self.data = self.folder / "data"
        self.port = free_port()
        self.origin = f"http://localhost:{self.port}"
        self.token = secrets.token_urlsafe(24)
        self.log = self.folder / "log"
        self.printed = self.folder / "printed"
        settings = {
            "BITBOT_LISTEN": f"127.0.0.1:{self.port}",
            "BITBOT_DATA_DIR": str(self.data),
            "BITBOT_ADMIN_TOKEN": self.token,
        }
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("BITBOT_")}, **settings,
        }
        with open(self.printed, "w") as out, open(self.log, "w") as err:
            self.process = subprocess.Popen(
                [PROGRAM, "serve", *(["--sandbox"] if sandbox else [])], env=self.environment, stdout=out, stderr=err)
        try:
            eventually(lambda: "admin/#code=" in self.terminal() or self.process.poll() is not None, "BitBot starts")
            if self.process.poll() is not None:
                raise AssertionError(f"BitBot has ended: {self.log.read_text()[-2000:]}")
            self.sandbox = None
            if sandbox:
                self.sandbox = SandboxPage(self._logged("sandbox_connected")["page"])
        except BaseException:
            self.stop()
            raise

    def stop(self):
        # What it has promised it keeps, however it ends; and this is quicker.
        self.process.kill()
        self.process.wait()
        if not self.is_kept:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def terminal(self):
        """What the program has printed."""
        return self.printed.read_text()

    @property
    def one_time_link(self):
        return re.search(r"http\S+/admin/#code=\S+", self.terminal()).group()

    @property
    def webhook(self):
        """An inbound webhook of the sandbox's portal."""
        return re.search(r"inbound webhook of its portal: (\S+)", self.terminal()).group(1)

    def new_link(self):
        """Another one-time link, as the operator gets it."""
        done = subprocess.run(
            [PROGRAM, "admin", "reset"], env=self.environment, capture_output=True, text=True, check=True)
        return re.search(r"http\S+/admin/#code=\S+", done.stdout).group()

    def choose_password(self):
        code = self.one_time_link.split("#code=")[1]
        self.api("POST", "/password", {"code": code, "password": PASSWORD})

    def _logged(self, event):
        def look():
            for line in self.log.read_text().splitlines():
                if f'"{event}"' in line:
                    return json.loads(line)
            return None

        return eventually(look, f"{event} in the log")

    def api(self, method, path, body=None):
        """The management API, as a script uses it."""
        return ask(method, f"{self.origin}/api/v1{path}", body, {"Authorization": f"Bearer {self.token}"})

    def all(self, path):
        return self.api("GET", path)["items"]

    def named(self, path, name):
        """The first of a collection with this name."""
        return first(self.all(path), name)


class SandboxPage:
    """The page of the sandbox, used over its own routes."""

    def __init__(self, origin):
        self.origin = origin

    def state(self):
        request = urllib.request.Request(f"{self.origin}/sandbox/events")
        with urllib.request.urlopen(request, timeout=20) as stream:
            event = None
            for line in stream:
                if line.startswith(b"event:"):
                    event = line[6:].strip()
                if line.startswith(b"data:") and event == b"state":
                    return json.loads(line[5:])
        raise AssertionError("the sandbox's page says nothing")

    @property
    def application(self):
        """Where the portal shows the application in a frame."""
        return self.state()["application"]

    def do(self, path, **body):
        ask("POST", f"{self.origin}/sandbox/{path}", body, {"Origin": self.origin})

    def choose(self, place, bot):
        """Goes to the chat with a bot: one of the sandbox's own by its id there, else by its name."""
        offers = self.state()["offers"]
        self.do("choices", place=place, id=next((one["id"] for one in offers if bot in (one["id"], one["name"])), bot))

    def write(self, place, text):
        self.do("messages", place=place, text=text)

    def hears(self, place, words):
        """Waits until a bot has said these words in the chat that is before somebody."""
        return eventually(
            lambda: any(
                one["from"] == "bot" and words in one["text"] for one in self.state()["messages"].get(place, [])),
            f"a bot's “{words}” before the {place}, who sees {self.state()['messages'].get(place)}")


def first(items, name):
    for one in items:
        if one["name"] == name:
            return one
    raise AssertionError(f"there is no “{name}” among {[one['name'] for one in items]}")


def ask(method, url, body=None, headers=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        url, data, {"Content-Type": "application/json", **(headers or {})}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            content = answer.read()
    except urllib.error.HTTPError as error:
        raise Refused(error.code, error.read().decode(errors="replace")) from None
    return json.loads(content) if content else None
