"""Photos behind addresses, through fsspec."""

import functools
import io
import json
import threading
from collections import Counter
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from commands import run
from PIL import Image

from corrosion_edge.device.archive.listing import listed
from corrosion_edge.device.archive.remote import fetched, is_address, photos_at
from corrosion_edge.errors import DataError, ExtraError, FetchError, ImageError, UsageError

fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed")

FILES = ("b/2.jpg", "b/1.JPG", "a.png", "c/deep/3.jpg", "notes.txt", ".hidden/4.jpg", "c/._5.jpg")
PHOTOS = ["a.png", "b/1.JPG", "b/2.jpg", "c/deep/3.jpg"]


def png(colour=(255, 0, 0)):
    content = io.BytesIO()
    Image.new("RGB", (20, 10), colour).save(content, "PNG")
    return content.getvalue()


@pytest.fixture
def memory():
    """A store in this process's memory."""
    system = fsspec.filesystem("memory")
    for name in FILES:
        system.pipe_file(f"/bucket/{name}", png())
    yield "memory://bucket"
    system.rm("/bucket", recursive=True)


@pytest.fixture
def files(tmp_path):
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(png())
    return f"file://{tmp_path}"


@pytest.fixture
def web(files, tmp_path):
    pytest.importorskip("aiohttp", reason="aiohttp is not installed")

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=str(tmp_path))
    )
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("kind", ["memory", "files", "web"])
def test_a_folder_is_searched_to_the_bottom_in_order(kind, request):
    address = request.getfixturevalue(kind)
    junk: Counter[str] = Counter()
    found = list(photos_at(address, junk))
    assert [photo.partition("bucket/")[2] if kind == "memory" else photo.removeprefix(address + "/")
            for photo in found] == PHOTOS  # fmt: skip
    assert junk["files that are no images"] == 1
    assert fetched(found[0]) == png()


@pytest.mark.parametrize("kind", ["memory", "files"])
def test_patterns(kind, request):
    address = request.getfixturevalue(kind)
    found = list(photos_at(f"{address}/**/*.jpg", Counter()))
    assert [photo.rpartition("/")[2] for photo in found] == ["2.jpg", "3.jpg"]
    for pattern in ("?.jpg", "[23].jpg"):
        assert list(photos_at(f"{address}/**/{pattern}", Counter())) == found


def test_a_pattern_passes_over_what_is_no_photo_and_says_if_nothing_is_left(memory):
    assert len(list(photos_at(f"{memory}/**", Counter()))) == len(PHOTOS)
    with pytest.raises(DataError, match="no photo matches"):
        list(photos_at(f"{memory}/**/*.tif", Counter()))


@pytest.mark.parametrize("kind", ["memory", "files"])
def test_a_pattern_in_a_folder_that_is_not_there_says_so(kind, request):
    address = request.getfixturevalue(kind)
    with pytest.raises(DataError, match=r"/none/\*\.jpg: no such folder$"):
        list(photos_at(f"{address}/none/*.jpg", Counter()))


def test_a_store_that_fails_once_is_asked_again(memory, monkeypatch):
    monkeypatch.setattr("corrosion_edge.device.archive.remote._WAITS", (0, 0))
    system, tries = fsspec.filesystem("memory"), []

    def cat_file(path, **_):
        tries.append(path)
        if len(tries) < 3:
            raise OSError("SlowDown")
        return b"content"

    monkeypatch.setattr(type(system), "cat_file", lambda self, path, **_: cat_file(path))
    assert fetched(f"{memory}/a.jpg") == b"content"
    tries.clear()
    monkeypatch.setattr("corrosion_edge.device.archive.remote._WAITS", (0,))
    with pytest.raises(FetchError, match="SlowDown"):
        fetched(f"{memory}/a.jpg")


def test_what_looks_like_a_photo_is_not_asked_for(memory):
    assert list(listed([f"{memory}/none.jpg"])) == [f"{memory}/none.jpg"]
    with pytest.raises(ImageError, match=r"none\.jpg: no such file"):
        fetched(f"{memory}/none.jpg")


def test_an_address_that_nobody_answers_is_a_line(classifier):
    pytest.importorskip("aiohttp", reason="aiohttp is not installed")
    result = run("classify", "--json", "http://127.0.0.1:1/a.jpg")
    assert result.exit_code == 1
    assert "http://127.0.0.1:1/a.jpg: cannot be fetched" in json.loads(result.stdout)["error"]


def test_a_folder_that_cannot_be_listed_ends_it():
    pytest.importorskip("aiohttp", reason="aiohttp is not installed")
    with pytest.raises(DataError, match=r"127\.0\.0\.1:1/photos: cannot be listed"):
        list(photos_at("http://127.0.0.1:1/photos", Counter()))


def test_an_unknown_kind_is_wrong_usage():
    with pytest.raises(UsageError, match=r"nothing://x/a\.jpg: cannot be read .Protocol not known"):
        list(listed(["nothing://x/a.jpg"]))


def test_a_missing_package_is_named(monkeypatch):
    def missing(name):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr("fsspec.core.get_filesystem_class", missing)
    with pytest.raises(ExtraError, match=r"s3://b/a\.jpg: needs another package: Install s3fs"):
        fetched("s3://b/a.jpg")


@pytest.mark.parametrize(("path", "expected"), [
    ("s3://b/x", True), ("file:///x", True), ("a/b.jpg", False), ("C:x", False), ("a//b", False),
])  # fmt: skip
def test_what_is_an_address(path, expected):
    assert is_address(path) is expected


def test_classify_takes_them_like_files(classifier, memory, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("classify", memory, "--out", "r.jsonl", "--heatmap", "maps")
    assert result.exit_code == 0, result.stderr
    rows = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert [row["path"].partition("bucket/")[2] for row in rows] == PHOTOS
    assert {(row["label"], row["size"], row["mtime"]) for row in rows} == {
        ("corrosion", len(png()), None)
    }
    assert len(list((tmp_path / "maps").rglob("*.png"))) == 4


def test_workers_fetch_over_http(web, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    one = run("classify", web, "--json", "--workers", "1", "--threads", "1")
    two = run("classify", web, "--json", "--workers", "2")
    assert one.exit_code == 0
    assert len(one.stdout.splitlines()) == 4
    assert two.stdout == one.stdout
