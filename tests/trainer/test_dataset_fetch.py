import csv
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from corrosion_edge.cli import cli
from corrosion_edge.errors import OutputError, SourceError, UsageError
from corrosion_edge.trainer.dataset import fetch as fetching
from corrosion_edge.trainer.dataset.blobs import blob_id, read_manifest
from corrosion_edge.trainer.dataset.fetch import MARK, fetch
from corrosion_edge.trainer.dataset.git import Repository

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

NAMES = [f"{split}/{name}/{i:02}.jpg" for split in ("train", "validation", "test")
         for name in ("CORROSION", "NOCORROSION") for i in range(3)]  # fmt: skip
ODD = ["test/CORROSION/images (3).jpg", "test/CORROSION/a*[b]#!.jpg", "train/CORROSION/é ü.jpg",
       "train/NOCORROSION/same as 00.jpg", "train/CORROSION/lines.jpg"]  # fmt: skip


def _git(folder: Path, *arguments: str) -> str:
    name = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    done = subprocess.run(["git", *name, *arguments], cwd=folder, capture_output=True, check=True)
    return done.stdout.decode()


def _commit(folder: Path) -> None:
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--message", "photos")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A repository with photos, AppleDouble files, another folder, and rules that change files."""
    folder = tmp_path / "source"
    folder.mkdir()
    _git(folder, "init", "--quiet")
    for number, name in enumerate([*NAMES, *ODD]):
        path = folder / "split" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"photo {number} ".encode() * 500)
    path.write_bytes(b"one line\ntwo lines\n" * 9)
    shutil.copy(folder / "split" / NAMES[0], folder / "split" / ODD[3])
    (folder / "split/train/CORROSION/._00.jpg").write_bytes(b"AppleDouble")
    (folder / "data").mkdir()
    (folder / "data" / "large.bin").write_bytes(os.urandom(300_000))
    (folder / ".gitattributes").write_text("*.jpg text eol=crlf\n")
    _commit(folder)
    return folder


@pytest.fixture
def manifest(source: Path, tmp_path: Path) -> Path:
    """The list of the photos, made with git's own ids."""
    return _manifest(source, tmp_path / "manifest.csv")


def _manifest(source: Path, path: Path) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("path", "blob"))
        for name in [*NAMES, *ODD]:
            rows.writerow((name, _git(source, "rev-parse", f"HEAD:split/{name}").strip()))
    return path


def _run(folder: Path, source: Path | str, manifest: Path, *more: str):
    arguments = ["--to", folder, "--source", source, "--manifest", manifest, *more]
    return CliRunner().invoke(cli, ["dataset", "fetch", *map(str, arguments)])


def _photos(folder: Path) -> dict[str, bytes]:
    files = [p for p in folder.rglob("*") if p.is_file() and MARK not in p.parts]
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


@pytest.mark.parametrize("filters", [True, False])
@pytest.mark.parametrize("address", ["{}", "file://{}"])
def test_the_photos_come_as_they_are_and_nothing_else(source, manifest, tmp_path, filters, address):
    _git(source, "config", "uploadpack.allowFilter", str(filters).lower())
    out = tmp_path / "out"
    result = _run(out, address.format(source), manifest, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {"present": 23, "missing": [], "changed": []}
    photos = _photos(out)
    assert set(photos) == {*NAMES, *ODD}
    assert all((source / "split" / name).read_bytes() == data for name, data in photos.items())
    assert [p.name for p in (out / MARK).iterdir()] == ["lock"]


def test_nothing_is_written_elsewhere_and_nothing_is_asked(source, manifest, tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        "[core]\n\tautocrlf = true\n[init]\n\ttemplateDir = /nowhere\n"
    )
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.setenv("GIT_DIR", str(source / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "other index"))
    monkeypatch.chdir(tmp_path)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")}
    assert _run(tmp_path / "out", source, manifest).exit_code == 0
    after = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if "out" not in p.parts}
    assert {p for p in after if after[p] != before.get(p)} == set()
    assert len(_photos(tmp_path / "out")) == 23


def test_a_photo_that_is_missing_or_changed_in_the_source_is_named(source, manifest, tmp_path):
    (source / "split" / NAMES[4]).unlink()
    (source / "split" / NAMES[5]).write_bytes(b"another photo")
    _commit(source)
    out = tmp_path / "out"
    result = _run(out, source, manifest, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "present": 21, "missing": [NAMES[4]], "changed": [NAMES[5]],
    }  # fmt: skip
    assert result.stderr.splitlines() == [f"missing: {NAMES[4]}", f"changed: {NAMES[5]}"]
    assert set(_photos(out)) == {*NAMES, *ODD} - {NAMES[4], NAMES[5]}
    _git(source, "revert", "--no-edit", "HEAD")  # it is put right there: the next run sees that
    assert _run(out, source, manifest).exit_code == 0
    assert len(_photos(out)) == 23


def test_what_is_damaged_here_is_fetched_again_and_the_rest_stays(source, manifest, tmp_path):
    out = tmp_path / "out"
    fetch(out, str(source), manifest)
    (out / NAMES[0]).write_bytes(b"damaged")
    (out / NAMES[1]).unlink()
    (out / NAMES[2]).unlink()
    (out / NAMES[2]).symlink_to(out / NAMES[3])
    (out / "mine.txt").write_text("stays")
    stamps = {name: (out / name).stat().st_ino for name in NAMES[3:]}
    assert len(fetch(out, str(source), manifest).present) == 23
    assert stamps == {name: (out / name).stat().st_ino for name in NAMES[3:]}
    assert (out / NAMES[0]).read_bytes() == (source / "split" / NAMES[0]).read_bytes()
    assert not (out / NAMES[2]).is_symlink()
    assert (out / "mine.txt").read_text() == "stays"


def test_a_complete_folder_needs_neither_source_nor_git(source, manifest, tmp_path, monkeypatch):
    out = tmp_path / "out"
    fetch(out, str(source), manifest)
    shutil.rmtree(source)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert len(fetch(out, "gone", manifest).present) == 23


def test_only_the_contents_of_a_batch_are_asked_for(source, manifest, tmp_path):
    _git(source, "config", "uploadpack.allowFilter", "true")
    repository = Repository(tmp_path / "repository", f"file://{source}")

    def here() -> list[str]:
        out = _git(tmp_path / "repository" / "git", "cat-file", "--batch-all-objects",
                   "--batch-check=%(objecttype) %(objectname)")  # fmt: skip
        return [line.split()[1] for line in out.splitlines() if line.startswith("blob")]

    repository.open()
    offered = repository.listing("split")
    assert here() == []
    work = repository.check_out("split", NAMES[:2])
    rules = _git(source, "rev-parse", "HEAD:.gitattributes").strip()  # git looks at these itself
    assert set(here()) - {rules} == {offered[name] for name in NAMES[:2]}
    assert blob_id(work / NAMES[1]) == offered[NAMES[1]]
    assert set(_photos(work)) == set(NAMES[:2])


def test_a_break_costs_a_batch_and_leaves_nothing_that_stops_the_next(
    source, manifest, tmp_path, monkeypatch
):
    monkeypatch.setattr(fetching, "BATCH", 5)
    out, plain, tries = tmp_path / "out", Repository.check_out, []

    def breaks(self, folder, paths):
        tries.append(paths)
        if len(tries) == 3:
            plain(self, folder, paths)
            (out / MARK / "repository/git/index.lock").touch()
            raise KeyboardInterrupt
        return plain(self, folder, paths)

    monkeypatch.setattr(Repository, "check_out", breaks)
    with pytest.raises(SourceError, match="the same command continues"):
        fetch(out, str(source), manifest)
    assert len(_photos(out)) == 10
    result = fetch(out, str(source), manifest)
    assert len(result.present) == 23
    assert [len(paths) for paths in tries] == [5, 5, 5, 5, 5, 3]


def test_a_killed_clone_leaves_nothing_that_stops_the_next(source, manifest, tmp_path):
    out = tmp_path / "out"
    wrapper = tmp_path / "bin" / "git"
    wrapper.parent.mkdir()
    real = shutil.which("git")
    wrapper.write_text(
        f'#!/bin/sh\ncase "$*" in *--depth=1*) touch {tmp_path}/begun; sleep 60;; esac\n'
        f'exec {real} "$@"\n'
    )
    wrapper.chmod(0o755)
    script = (
        "import sys; from pathlib import Path; from corrosion_edge.trainer.dataset.fetch import "
        "fetch; fetch(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))"
    )
    path = f"{wrapper.parent}:{os.environ['PATH']}"
    run = subprocess.Popen(
        [shutil.which("python") or "python", "-c", script, out, source, manifest],
        env=os.environ | {"PATH": path},
        start_new_session=True,
    )
    for _ in range(600):
        if (tmp_path / "begun").exists():
            break
        time.sleep(0.1)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    assert (out / MARK / "repository" / "git").is_dir()
    for lock in ("shallow.lock", "config.lock", "HEAD.lock"):
        (out / MARK / "repository" / "git" / lock).touch()
    assert len(fetch(out, str(source), manifest).present) == 23


def test_a_repository_that_fails_is_begun_anew(source, manifest, tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "BATCH", 5)
    out, plain = tmp_path / "out", Repository.check_out

    def spoils(self, folder, paths):
        shutil.rmtree(out / MARK / "repository" / "git" / "objects")
        return plain(self, folder, paths)

    with monkeypatch.context() as patch:
        patch.setattr(Repository, "check_out", spoils)
        with pytest.raises(SourceError, match="git cannot fetch"):
            fetch(out, str(source), manifest)
    assert len(fetch(out, str(source), manifest).present) == 23


def test_another_source_is_asked_anew(source, manifest, tmp_path, monkeypatch):
    out = tmp_path / "out"
    other = tmp_path / "other"
    shutil.copytree(source, other)
    with monkeypatch.context() as patch:
        patch.setattr(Repository, "check_out", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(SourceError):
            fetch(out, str(source), manifest)
    shutil.rmtree(source)
    assert len(fetch(out, str(other), manifest).present) == 23


def test_a_content_that_is_not_what_git_says_is_changed(source, manifest, tmp_path, monkeypatch):
    plain = Repository.check_out

    def alters(self, folder, paths):
        work = plain(self, folder, paths)
        (work / NAMES[0]).write_bytes(b"altered on the way")
        return work

    monkeypatch.setattr(Repository, "check_out", alters)
    result = fetch(tmp_path / "out", str(source), manifest)
    assert result.changed == (NAMES[0],)
    assert not (tmp_path / "out" / NAMES[0]).exists()


def test_no_git(source, manifest, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    result = _run(tmp_path / "out", source, manifest)
    assert result.exit_code == 1
    assert "git is not installed" in result.stderr


@pytest.mark.parametrize(
    "address", ["{}/missing", "https://localhost:1/none", "ssh://localhost:1/x"]
)
def test_a_source_that_cannot_be_reached(address, manifest, tmp_path):
    result = _run(tmp_path / "out", address.format(tmp_path), manifest)
    assert result.exit_code == 1
    assert "git cannot fetch from it" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_repository_without_the_photos(source, manifest, tmp_path):
    shutil.rmtree(source / "split")
    _commit(source)
    result = _run(tmp_path / "out", source, manifest)
    assert result.exit_code == 1
    assert "no folder 'split'" in result.stderr


def test_a_folder_that_is_not_ours_is_left_alone(source, manifest, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine").write_text("mine")
    with pytest.raises(OutputError, match="did not begin"):
        fetch(out, str(source), manifest)
    assert [p.name for p in out.iterdir()] == ["mine"]
    with pytest.raises(OutputError, match="is a file"):
        fetch(out / "mine", str(source), manifest)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert len(fetch(empty, str(source), manifest).present) == 23


def test_two_runs_at_once(source, manifest, tmp_path):
    out = tmp_path / "out"
    (out / MARK).mkdir(parents=True)
    with (out / MARK / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(OutputError, match="another run"):
            fetch(out, str(source), manifest)
    assert len(fetch(out, str(source), manifest).present) == 23


def test_a_full_disk(source, small_disk, tmp_path):
    for name in NAMES:
        (source / "split" / name).write_bytes(os.urandom(20_000))
    _commit(source)
    result = _run(small_disk / "out", source, _manifest(source, tmp_path / "large.csv"))
    assert result.exit_code == 1
    assert "the disk is full" in result.stderr or "No space left" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_blob_ids_are_gits(source, tmp_path):
    for name in (*NAMES[:2], *ODD):
        path = source / "split" / name
        assert blob_id(path) == _git(source, "hash-object", "--no-filters", str(path)).strip()
    (tmp_path / "empty").touch()
    assert blob_id(tmp_path / "empty") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    assert blob_id(tmp_path / "missing") is None
    assert blob_id(tmp_path) is None


def test_the_list_that_ships_is_the_published_one():
    blobs = read_manifest(None)
    counts = {
        (split, name): sum(path.startswith(f"{split}/{name}/") for path in blobs)
        for split in ("train", "validation", "test")
        for name in ("CORROSION", "NOCORROSION")
    }
    assert list(counts.values()) == [693, 580, 198, 166, 99, 83]
    assert blobs["train/CORROSION/11.jpg"] == blobs["train/CORROSION/29.jpg"]
    assert hashlib.sha1(b"blob 0\0").hexdigest() not in blobs.values()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "columns path, blob"),
        ("path,id\n", "columns path, blob"),
        ("path,blob\n", "lists no photos"),
        ("path,blob\na/b/c.jpg,12\n", "line 2: expected"),
        ("path,blob\n../b/c.jpg,{id}\n", "line 2: expected"),
        ("path,blob\n/b/c.jpg,{id}\n", "line 2: expected"),
        ("path,blob\na//c.jpg,{id}\n", "line 2: expected"),
        ("path,blob\na/b/.git,{id}\n", "line 2: expected"),
        ("path,blob\na/b/c.jpg,{id}\na/b/c.jpg,{id}\n", "line 3: a/b/c.jpg is there twice"),
    ],
)
def test_a_list_that_is_none(text, says, tmp_path):
    (tmp_path / "m.csv").write_text(text.format(id=40 * "a"))
    with pytest.raises(UsageError, match=says):
        read_manifest(tmp_path / "m.csv")
