"""``classify`` of photos in an object store that speaks S3: moto's server, read through s3fs."""

import io
import json
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from broker import free_port, until
from object_store import ObjectStore
from PIL import Image

from corrosion_edge.bundle import DEFAULT_MODEL

pytest.importorskip("fsspec", reason="the extra archive is not installed")
pytestmark = pytest.mark.skipif(not DEFAULT_MODEL.exists(), reason="no default model yet")

PHOTOS = ["a.png", "b/1.PNG", "b/[2]*.png", "c/deep/ä #3?.png"]
OTHERS = ["notes.txt", ".hidden/4.png", "c/._5.png", "b/", "c//6.png"]
MANY = [f"many/{number:03}.png" for number in range(400)]
LAST = f"s3://bucket/{MANY[-1]}"


def photo(seed: int) -> bytes:
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), np.uint8)
    content = io.BytesIO()
    Image.fromarray(np.repeat(np.repeat(coarse, 4, 0), 4, 1)).save(content, "PNG")
    return content.getvalue()


@pytest.fixture(scope="module")
def filled() -> Iterator[ObjectStore]:
    with ObjectStore() as store:
        for seed, name in enumerate(PHOTOS + OTHERS):
            store.put(f"photos/{name}", photo(seed))
        for seed, name in enumerate(MANY):
            store.put(name, photo(seed))
        yield store


@pytest.fixture
def store(filled: ObjectStore) -> Iterator[ObjectStore]:
    yield filled
    filled.allow(True)
    filled.put(MANY[-1], photo(len(MANY) - 1))


@pytest.fixture(scope="module")
def whole(filled: ObjectStore, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The rows of all the many, of a run that nothing disturbed."""
    out = tmp_path_factory.mktemp("whole") / "r.jsonl"
    done = filled.run("classify", "s3://bucket/many", "--out", str(out))
    assert done.returncode == 0, done.stderr
    rows = lines(out)
    assert [row["path"] for row in rows] == [f"s3://bucket/{name}" for name in MANY]
    assert len({row["score"] for row in rows}) > 10
    return rows


def lines(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.read_text().splitlines()]


def wait_for_rows(process: "subprocess.Popen[str]", out: Path) -> None:
    """Until some were made safe: the file of them, which nobody else may read, is larger than its
    empty tables, of four pages."""
    partial = out.with_name(f"{out.name}.partial")

    def grown() -> bool:
        assert process.poll() is None, process.communicate()
        return partial.exists() and partial.stat().st_size > 6 * 4096

    until(grown, "rows made safe")


@pytest.mark.parametrize(("path", "found"), [
    ("", PHOTOS), ("/", PHOTOS), ("/b", PHOTOS[1:3]), ("/a.png", PHOTOS[:1]),
    ("/**/*.png", [PHOTOS[0], *PHOTOS[2:]]), ("/?/*.PNG", PHOTOS[1:2]), ("/c//6.png", OTHERS[-1:]),
])  # fmt: skip
def test_folders_patterns_and_photos(store, path, found):
    done = store.run("classify", f"s3://bucket/photos{path}", "--json")
    assert done.returncode == 0, done.stderr
    paths = [json.loads(line)["path"] for line in done.stdout.splitlines()]
    assert paths == [f"s3://bucket/photos/{name}" for name in found]


def test_what_is_passed_over_is_counted(store):
    told = store.run("classify", "s3://bucket/photos").stderr
    assert "s3://bucket/photos: 4 photos; passed over: " in told
    for what in ("1 files that are no images", "1 AppleDouble files",
                 "1 folders without a name (two slashes in a row)"):  # fmt: skip
        assert what in told


def test_a_list_of_addresses_among_files(store, tmp_path):
    (tmp_path / "own.png").write_bytes(photo(0))
    paths = [str(tmp_path / "own.png"), "s3://bucket/photos/a.png", "s3://bucket/photos/b"]
    (tmp_path / "list.txt").write_text("\n".join(paths))
    done = store.run("classify", f"@{tmp_path}/list.txt", "--json", "--workers", "2")
    assert done.returncode == 0, done.stderr
    own, first, *rest = map(json.loads, done.stdout.splitlines())
    assert own["score"] == first["score"]
    assert len(rest) == 2


def test_the_table_holds_addresses_and_sizes(store, tmp_path):
    pq = pytest.importorskip("pyarrow.parquet", reason="the extra archive is not installed")
    done = store.run("classify", "s3://bucket/photos", "--out", str(tmp_path / "r.parquet"))
    assert done.returncode == 0, done.stderr
    rows = pq.read_table(tmp_path / "r.parquet").to_pylist()
    assert [row["path"] for row in rows] == [f"s3://bucket/photos/{name}" for name in PHOTOS]
    assert [row["size"] for row in rows] == [len(photo(seed)) for seed in range(len(PHOTOS))]
    assert {row["mtime"] for row in rows} == {None}


def test_a_kill_leaves_exactly_one_row_an_object(store, whole, tmp_path):
    out = tmp_path / "r.jsonl"
    process = store.command("classify", "s3://bucket/many", "--out", str(out), "--workers", "2")
    wait_for_rows(process, out)
    process.kill()
    process.communicate()
    with closing(sqlite3.connect(f"{out}.partial")) as database:
        (judged,) = database.execute("SELECT count(*) FROM results").fetchone()
    assert 0 < judged < len(MANY)
    done = store.run("classify", "s3://bucket/many", "--out", str(out), "--resume")
    assert done.returncode == 0, done.stderr
    assert lines(out) == whole


def test_an_object_that_vanishes_has_a_row_that_says_so(store, whole, tmp_path):
    out = tmp_path / "r.jsonl"
    process = store.command("classify", "s3://bucket/many", "--out", str(out), "--workers", "2")
    wait_for_rows(process, out)  # so the folder was listed
    store.delete(MANY[-1])
    _, told = process.communicate(timeout=180)
    assert process.returncode == 1
    assert "400 photos; 1 could not be judged" in told
    *rows, gone = lines(out)
    assert rows == whole[:-1]
    assert (gone["path"], gone["label"], gone["error"]) == (LAST, None, f"{LAST}: no such file")


def test_a_key_that_is_withdrawn_costs_no_photo(store, whole, tmp_path):
    """What was refused is had later, by --resume."""
    out = tmp_path / "r.jsonl"
    process = store.command("classify", "s3://bucket/many", "--out", str(out), "--workers", "2")
    wait_for_rows(process, out)
    store.allow(False)
    _, told = process.communicate(timeout=180)
    assert process.returncode == 1
    assert "not fetched: --resume tries" in told
    assert lines(out)[-1]["error"] == f"{LAST}: cannot be fetched (Forbidden)"
    store.allow(True)
    done = store.run("classify", "s3://bucket/many", "--out", str(out), "--resume")
    assert done.returncode == 0, done.stderr
    assert lines(out) == whole


def test_a_cluster_reads_them_too(store, whole, tmp_path):
    pytest.importorskip("ray", reason="Ray is not installed (the extra 'ray')")
    out = tmp_path / "r.jsonl"
    words = ["classify", "s3://bucket/many/0*.png", "--ray", "local", "--workers", "1"]
    done = store.run(*words, "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert lines(out) == whole[:100]


@pytest.mark.parametrize("path", ["photos/none.png", "none", "photos/none/*.png"])
def test_what_is_not_there_is_named(store, path):
    done = store.run("classify", f"s3://bucket/{path}")
    assert done.returncode != 0
    assert f"s3://bucket/{path}: no" in done.stderr


def test_a_bucket_that_is_not_there_is_named(store):
    done = store.run("classify", "s3://none/photos")
    assert done.returncode != 0
    assert "Error: s3://none/photos: no such file" in done.stderr


@pytest.mark.parametrize(("path", "said"), [
    ("photos", "cannot be listed (The AWS Access Key Id you provided does not exist"),
    ("photos/*.png", "cannot be listed (The AWS Access Key Id you provided does not exist"),
    ("photos/a.png", "cannot be fetched (Forbidden)"),
])  # fmt: skip
def test_a_wrong_key_is_said(store, path, said):
    store.allow(False)
    done = store.run("classify", f"s3://bucket/{path}")
    assert done.returncode != 0
    assert f"Error: s3://bucket/{path}: {said}" in done.stderr


@pytest.mark.parametrize(("path", "what"), [("photos", "listed"), ("photos/a.png", "fetched")])
def test_no_key_at_all_is_said(store, path, what):
    done = store.run("classify", f"s3://bucket/{path}", AWS_ACCESS_KEY_ID="",
                     AWS_SECRET_ACCESS_KEY="")  # fmt: skip
    assert done.returncode != 0
    said = f"cannot be {what} (Unable to locate credentials)"
    assert f"Error: s3://bucket/{path}: {said}" in done.stderr


def test_a_store_that_nobody_reaches_is_said(store):
    nobody = f"http://127.0.0.1:{free_port()}"
    done = store.run("classify", "s3://bucket/photos", AWS_ENDPOINT_URL=nobody)
    assert done.returncode != 0
    told = 'cannot be listed (Could not connect to the endpoint URL: "'
    assert f"Error: s3://bucket/photos: {told}{nobody}" in done.stderr


def test_the_result_stays_on_this_machine(store, tmp_path):
    done = store.run("classify", "s3://bucket/photos", "--out", "s3://bucket/r.parquet")
    assert done.returncode == 2
    assert "expected a path" in done.stderr
