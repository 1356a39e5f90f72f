"""An object store that speaks S3, in a process of its own, and the command that reads from it."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

from broker import free_port, until
from rig import CHECKOUT, clean_environment, require

__all__ = ["ObjectStore"]

Environment = Mapping[str, str]


class ObjectStore:
    """moto's server with one bucket, ``bucket``; at first whoever asks is answered."""

    def __init__(self) -> None:
        self._site = require("s3") / "site"
        self._home = tempfile.TemporaryDirectory()
        self._log = Path(self._home.name) / "log"
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def environment(self) -> Environment:
        """What a command needs to read from the store: its address and a key."""
        return {
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.url,
            "AWS_EC2_METADATA_DISABLED": "true",  # where it would look for a key of a machine
            "HOME": self._home.name,
            "PYTHONPATH": os.pathsep.join([str(self._site), str(CHECKOUT)]),
        }

    def put(self, key: str, content: bytes) -> None:
        self._ask("PUT", f"bucket/{quote(key)}", content)

    def delete(self, key: str) -> None:
        self._ask("DELETE", f"bucket/{quote(key)}")

    def allow(self, allowed: bool) -> None:
        """Whether keys that nobody made, as every key here, are taken."""
        count = b"inf" if allowed else b"0"  # of questions that are answered to anybody
        answer = json.loads(self._ask("POST", "moto-api/reset-auth", count))
        assert answer["status"] == "ok", answer

    def command(self, *words: str, **changed: str) -> "subprocess.Popen[str]":
        """Start ``corrosion-edge`` with other variables of the environment than the store's."""
        environment = {**clean_environment(), **self.environment, **changed}
        return subprocess.Popen(
            [sys.executable, "-m", "corrosion_edge", *words],
            env={name: value for name, value in environment.items() if value},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, *words: str, **changed: str) -> "subprocess.CompletedProcess[str]":
        """The same to its end; whatever happens is said without a traceback."""
        process = self.command(*words, **changed)
        try:
            out, errors = process.communicate(timeout=180)
        finally:
            process.kill()
        assert "Traceback" not in errors, errors
        return subprocess.CompletedProcess(process.args, process.returncode, out, errors)

    def _ask(self, method: str, path: str, content: bytes | None = None) -> bytes:
        who = "AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/s3/aws4_request"
        headers = {"Content-Type": "application/octet-stream", "Authorization": who}
        asked = Request(f"{self.url}/{path}", content, headers, method=method)
        with urlopen(asked, timeout=30) as answer:
            body: bytes = answer.read()
            return body

    def _answers(self) -> bool:
        assert self._process and self._process.poll() is None, self._log.read_text()
        with contextlib.suppress(URLError, ConnectionError):
            self._ask("PUT", "bucket")
            return True
        return False

    def __enter__(self) -> "ObjectStore":
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "moto.server", "-p", str(self._port)],
                env={**clean_environment(), **self.environment}, stdout=log, stderr=log,
            )  # fmt: skip
        until(self._answers, "the object store answers")
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(30)
        self._home.cleanup()
