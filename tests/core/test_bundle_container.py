"""The bytes of a model file: written in one way, and read only as written."""

import hashlib
import io
import string
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corrosion_edge.bundle import DEFAULT_MODEL, Bundle
from corrosion_edge.errors import BundleError
from corrosion_edge.modelfile import container
from corrosion_edge.modelfile.container import MAX_MEMBERS, Container

NETWORK = b"\x1c\0\0\0TFL3network"
names = st.lists(
    st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=8),
    min_size=1, max_size=3,
).map("/".join)  # fmt: skip
files = st.builds(
    Container,
    st.binary(max_size=50).map(lambda tail: b"\x1c\0\0\0TFL3" + tail),
    st.dictionaries(names, st.binary(max_size=60), min_size=1, max_size=5).map(
        lambda members: tuple(members.items())
    ),
)


@settings(deadline=None)
@given(files)
def test_what_is_written_is_read(file):
    assert Container.from_bytes(file.to_bytes()) == file


@settings(deadline=None)
@given(files)
def test_it_is_the_archive_that_zipfile_writes_and_reads(file):
    """The layout is our own contract; today's zipfile agrees with it to the byte."""
    stream = io.BytesIO(file.model)
    stream.seek(0, io.SEEK_END)
    with zipfile.ZipFile(stream, "a") as archive:
        for name, content in file.members:
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
    assert stream.getvalue() == file.to_bytes()
    with zipfile.ZipFile(io.BytesIO(file.to_bytes())) as archive:
        assert archive.testzip() is None


def test_the_bytes_never_change():
    content = Container(NETWORK, (("a.txt", b"one"), ("b/c.txt", b""))).to_bytes()
    assert hashlib.sha256(content).hexdigest() == (
        "7f5b965118f19fb1fb4d3f121938720987cb086aebb16ce336a87153bb278ed4"
    )


def test_the_default_model_is_written_so():
    assert Bundle.load(DEFAULT_MODEL).to_bytes() == DEFAULT_MODEL.read_bytes()


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_noise_is_refused(noise):
    for content in (noise, NETWORK + noise):
        with pytest.raises(BundleError):
            Container.from_bytes(content)


@settings(deadline=None)
@given(files, st.data())
def test_nothing_fits_in_anywhere(file, data):
    content = file.to_bytes()
    place = data.draw(st.integers(len(file.model), len(content)))
    more = data.draw(st.binary(min_size=1, max_size=30))
    changed = content[:place] + more + content[place:]
    try:
        found = Container.from_bytes(changed)
    except BundleError:
        return
    assert found.to_bytes() == changed  # a longer network with the same members: its hash differs
    assert found.members == file.members
    assert place == len(file.model)


@pytest.mark.parametrize(
    "name", ["", "/a", "../a", "a/../b", "a//b", "a/", ".", ".hidden", "ä", "a b", "a\\b",
             "C:x", "x" * 101, "a\n"])  # fmt: skip
def test_names_that_could_lead_elsewhere_are_neither_written_nor_read(name):
    with pytest.raises(ValueError, match="name"):
        Container(NETWORK, ((name, b""),))
    stream = io.BytesIO(NETWORK)
    stream.seek(0, io.SEEK_END)
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), b"")
    with pytest.raises(BundleError):
        Container.from_bytes(stream.getvalue())


def test_doubled_and_many_members_are_refused():
    for members in ([("a", b"")] * 2, [(f"m{n}", b"") for n in range(MAX_MEMBERS + 1)]):
        with pytest.raises(ValueError, match="different names"):
            Container(NETWORK, tuple(members))
    stream = io.BytesIO(NETWORK)
    stream.seek(0, io.SEEK_END)
    with zipfile.ZipFile(stream, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        for _ in range(2):
            archive.writestr(zipfile.ZipInfo("a", (1980, 1, 1, 0, 0, 0)), b"x")
    with pytest.raises(BundleError, match="as this program writes it"):
        Container.from_bytes(stream.getvalue())


def test_large_files_and_members_are_refused(monkeypatch):
    content = Container(NETWORK, (("a", bytes(1000)),)).to_bytes()
    monkeypatch.setattr(container, "MAX_MEMBER", 999)
    with pytest.raises(BundleError, match="larger than 999"):
        Container.from_bytes(content)
    monkeypatch.setattr(container, "MAX_FILE", len(content) - 1)
    with pytest.raises(BundleError, match="larger than"):
        Container.from_bytes(content)


def test_a_pipe_or_a_device_is_no_model_file(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(BundleError, match="cannot be read"):
            Bundle.load(path)
