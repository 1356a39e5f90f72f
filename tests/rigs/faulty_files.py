"""Model files that are bad, and photos and processes of ``classify`` that die."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest
import rig
from injecting import BASE, PATIENCE, Fault, Found, event, lost_of
from PIL import Image
from putting import put, until
from watching import verdict, watching

from corrosion_edge.device.archive.running import FEW
from corrosion_edge.modelfile import signature
from corrosion_edge.modelfile.container import Container
from corrosion_edge.modelfile.keys import PrivateKey, public_path
from corrosion_edge.render import clip

__all__ = ["FILES"]


def bad_model(folder: Path, draw: Random) -> Found:
    """A truncated, empty, damaged or unsigned file in place of the model that runs."""
    pytest.importorskip("cryptography")
    content, file = rig.model_file().read_bytes(), folder / "model.tflite"
    key = PrivateKey.generate()
    key.save(folder / "key")
    put(file, signature.sign(Container.from_bytes(content), key).to_bytes())
    sound = file.read_bytes()
    place = draw.randrange(len(sound) // 4, len(sound) // 2)
    bad = {"truncated": sound[: draw.randrange(1, len(sound))], "empty": b"", "unsigned": content,
           "damaged": sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1:]}  # fmt: skip
    kind = draw.choice(sorted(bad))
    words = ["--camera", "demo", "--store", folder / "store", "--model", file, *BASE,
             "--require-signature", public_path(folder / "key")]  # fmt: skip
    with watching(*words) as watch:
        watch.until(1, verdict, PATIENCE)
        put(file, bad[kind])
        begin = time.monotonic()
        watch.until(1, event("model_refused"), PATIENCE)
        watch.until(1, verdict, PATIENCE)
        seconds = time.monotonic() - begin
        told = watch.end()
    return Found(seconds, f"model_refused ({kind})", lost_of(folder / "store", told))


def bad_model_at_the_start(folder: Path, draw: Random) -> Found:
    """The watch is killed with a truncated file in place of its model, and started anew."""
    content, file = rig.model_file().read_bytes(), folder / "model.tflite"
    put(file, content)
    words = ["--camera", "demo", "--store", folder / "store", "--model", file, *BASE]
    with watching(*words) as watch:
        watch.until(2, verdict, PATIENCE)
        until(lambda: list((folder / "store" / "model").glob("*.tflite")))
        put(file, content[: draw.randrange(len(content))])
    begin = time.monotonic()
    with watching(*words) as watch:
        lines = watch.until(1, verdict, PATIENCE)
        seconds = time.monotonic() - begin
        told = watch.end()
    seen = ", ".join(line["event"] for line in lines if "event" in line)
    assert "model_refused" in seen
    return Found(seconds, seen, lost_of(folder / "store", told))


def _photos(folder: Path) -> tuple[Path, int]:
    """More than one process judges alone, each as good as another."""
    photos, count = folder / "photos", FEW + 60
    photos.mkdir()
    (pixels,) = clip(frames=1, size=(320, 240))
    for number in range(count):
        Image.fromarray(pixels).save(photos / f"{number:03}.jpg")
    return photos, count


def _classifies(photos: Path, environment: dict[str, str]) -> "subprocess.Popen[str]":
    """``classify`` in two processes; its standard error goes to a file beside the photos."""
    words = f"-m corrosion_edge classify {photos} --json --workers 2"
    with photos.with_name("told").open("w") as told:
        return subprocess.Popen(
            [sys.executable, *words.split()],
            stdout=subprocess.PIPE,
            stderr=told,
            text=True,
            env={**rig.clean_environment(), "PYTHONPATH": str(rig.CHECKOUT), **environment},
        )


def worker_killed(folder: Path, draw: Random) -> Found:
    """One of the processes of ``classify`` is killed while it works."""
    photos, count = _photos(folder)
    process = _classifies(photos, {})
    assert process.stdout
    rows = [process.stdout.readline() for _ in range(draw.randrange(1, 40))]
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    workers = [
        pid for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    os.kill(int(draw.choice(workers)), signal.SIGKILL)
    begin = time.monotonic()
    rows.append(process.stdout.readline())
    seconds = time.monotonic() - begin
    rows += process.stdout.readlines()
    assert process.wait(PATIENCE) == 0
    scored = [json.loads(row) for row in rows]
    return Found(seconds, "nothing", count - sum("score" in row for row in scored))


DEADLY = """\
import os, signal, sys
def look(event, arguments):
    if event == "open" and str(arguments[0]).endswith("deadly.jpg"):
        os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(look)
"""
"""Is imported by each Python that finds it as sitecustomize: to read that photo ends it."""


def deadly_photo(folder: Path, draw: Random) -> Found:
    """A photo ends each process that reads it."""
    photos, count = _photos(folder)
    (photos / f"{draw.randrange(count):03}.jpg").rename(photos / "deadly.jpg")
    (folder / "sitecustomize.py").write_text(DEADLY)
    process = _classifies(photos, {"PYTHONPATH": f"{folder}:{rig.CHECKOUT}"})
    begin = time.monotonic()
    out, _ = process.communicate(timeout=PATIENCE)
    seconds = time.monotonic() - begin
    rows = [json.loads(row) for row in out.splitlines()]
    (bad,) = [row for row in rows if "score" not in row]
    assert bad["path"].endswith("deadly.jpg"), bad
    return Found(seconds, f"an error for that photo, exit code {process.returncode}",
                 count - 1 - sum("score" in row for row in rows))  # fmt: skip


FILES: tuple[Fault, ...] = (
    bad_model, bad_model_at_the_start, worker_killed, deadly_photo,
)  # fmt: skip
