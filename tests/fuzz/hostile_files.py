"""Model files that somebody damaged, or made to hurt whoever reads them."""

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from random import Random
from typing import Any

from PIL import Image

from corrosion_edge.bundle import MANIFEST_NAME, Bundle
from corrosion_edge.manifest import Golden
from corrosion_edge.modelfile.container import Container
from corrosion_edge.modelfile.signature import SIGNATURE_NAME

__all__ = ["KINDS", "base", "hostile"]

NETWORK = b"\x1c\0\0\0TFL3" + bytes(range(200))
NAMES = (b"/etc/passwd",
         b"../../outside", b"a/../../b", b"..", b".", b"", b"a//b", b"C:\\x", b"\\\\s",
         b"nul\0byte", b"\xff\xfe", "ä".encode(), b"x" * 65535, b"golden/0.png", b"manifest.json",
         b"signature.json", b"labels.txt", b"a\nb", b"\x1b[31m", b"con", b"./labels.txt",
         b"labels.txt/", b"LABELS.TXT")  # fmt: skip
NUMBERS = (0, 1, 2, 22, 46, 255, 0x7FFF, 0xFFFF, 0x10000, 2**20, 2**31 - 1, 2**31, 2**32 - 2,
           2**32 - 1)  # fmt: skip


def png(size: tuple[int, int] = (16, 16), mode: str = "RGB") -> bytes:
    stream = io.BytesIO()
    Image.new(mode, size, 100).save(stream, "PNG")
    return stream.getvalue()


def base() -> Bundle:
    """A small model file that is right."""
    golden = Golden("golden/0.png", "0" * 64, (128, 128), (1,) * 49)
    return Bundle.seal(
        NETWORK, {"golden/0.png": png()}, name="test", golden=(golden,),
        outputs={"scores": "scores", "map": "map"}, provenance={"seed": 1, "who": {"a": [1, 2]}},
        drift={"n": 3, "float": {"auc": 0.9}},
    )  # fmt: skip


def hostile(rng: Random) -> tuple[str, bytes]:
    """A file, and what kind of wrong it is."""
    kind = rng.choice(KINDS)
    return kind.__name__[1:], kind(rng)


def _truncated(rng: Random) -> bytes:
    content = base().to_bytes()
    return content[: rng.randrange(len(content))]


def _flipped(rng: Random) -> bytes:
    content = bytearray(base().to_bytes())
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return bytes(content)


def _spliced(rng: Random) -> bytes:
    """Bytes put in, taken out, or repeated."""
    content = base().to_bytes()
    a, b = sorted((rng.randrange(len(content)), rng.randrange(len(content))))
    other = (rng.randbytes(rng.choice((1, 4, 100))), b"", content[a:b] * 2, content)
    return content[:a] + rng.choice(other) + content[b:]


def _words(rng: Random) -> bytes:
    """Numbers in the archive's records that promise something else."""
    content = bytearray(base().to_bytes())
    for _ in range(rng.choice((1, 2, 5))):
        place = rng.randrange(len(content) - 200, len(content) - 4)
        content[place : place + 4] = struct.pack("<I", rng.choice(NUMBERS))
    return bytes(content)


def _raw(
    rng: Random, members: list[tuple[bytes, bytes]], *, lies: bool = True, tail: bytes = b""
) -> bytes:
    """An archive written by hand; some fields of its headers are lies."""
    said = (lambda true: rng.choice((true, true, true, rng.choice(NUMBERS)))) if lies else int
    body, directory = io.BytesIO(), io.BytesIO()
    body.write(NETWORK)
    for name, content in members:
        place = body.tell()
        facts = (said(zlib.crc32(content)), said(len(content)), said(len(content)))
        flags, method = said(0) & 0xFFFF, said(0) & 0xFFFF
        size = min(len(name), 0xFFFF)
        body.write(struct.pack("<4s5H3I2H", b"PK\3\4", 20, flags, method, 0, 33, *facts, size, 0))
        body.write(name + content)
        fields = (0x314, 20, flags, method, 0, 33, *facts, said(size) & 0xFFFF, 0, 0, 0, 0, 0)
        entry = struct.pack("<4s6H3I5H2I", b"PK\1\2", *fields, said(place))
        directory.write(entry + name)
    place, listed = body.tell(), directory.getvalue()
    count = said(len(members)) & 0xFFFF
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, said(len(listed)), said(place),
                      len(tail) & 0xFFFF if rng.random() < 0.5 else 0)  # fmt: skip
    return body.getvalue() + listed + end + tail


def _whole(rng: Random) -> list[tuple[bytes, bytes]]:
    bundle = base()
    manifest = (MANIFEST_NAME.encode(), bundle.manifest.to_json().encode())
    return [*((name.encode(), content) for name, content in bundle.files.items()), manifest]


def _lies(rng: Random) -> bytes:
    return _raw(rng, _whole(rng))


def _names(rng: Random) -> bytes:
    members = [(rng.choice(NAMES), rng.randbytes(10)) for _ in range(rng.randrange(1, 5))]
    return _raw(rng, [*members, *_whole(rng)], lies=rng.random() < 0.2)


def _doubled(rng: Random) -> bytes:
    members = _whole(rng)
    members.insert(rng.randrange(len(members)), rng.choice(members))
    return _raw(rng, members, lies=False)


def _many(rng: Random) -> bytes:
    count = rng.choice((63, 64, 65, 1000, 20_000))
    return _raw(rng, [(f"m{n}".encode(), b"") for n in range(count)], lies=False)


def _comment(rng: Random) -> bytes:
    return _raw(rng, _whole(rng), lies=False, tail=rng.randbytes(rng.choice((1, 22, 500, 70_000))))


def _zip64(rng: Random) -> bytes:
    """ZIP64 records in front of the end, with numbers that fit nothing."""
    content = base().to_bytes()
    big = rng.choice((0, 1, 2**32, 2**40, 2**63, 2**64 - 1))
    record = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, big, big, big, big)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, rng.choice((len(content) - 22, big)), 1)
    end = bytearray(content[-22:])
    if rng.random() < 0.7:
        end[8:20] = b"\xff" * 12
    return content[:-22] + record + locator + bytes(end)


def _overlapping(rng: Random) -> bytes:
    """Many members that are all the same bytes: a small file that unpacks to a huge one."""
    kernel = rng.randbytes(200_000)
    body = NETWORK + struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0, 33, zlib.crc32(kernel),
                                 len(kernel), len(kernel), 1, 0) + b"a" + kernel  # fmt: skip
    count = rng.choice((10, 64, 10_000))
    entry = struct.pack("<4s6H3I5H2I", b"PK\1\2", 0x314, 20, 0, 0, 0, 33, zlib.crc32(kernel),
                        len(kernel), len(kernel), 1, 0, 0, 0, 0, 0, len(NETWORK))  # fmt: skip
    entry += b"a"
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, count * len(entry), len(body), 0)
    return body + entry * count + end


def _compressed(rng: Random) -> bytes:
    """A ZIP bomb: a megabyte becomes a gigabyte, or a member is said to be encrypted."""
    stream = io.BytesIO(NETWORK)
    stream.seek(0, io.SEEK_END)
    entry = zipfile.ZipInfo(MANIFEST_NAME)  # of a fixed date: the same number, the same file
    with zipfile.ZipFile(stream, "a") as archive:
        content = b" " * rng.choice((1000, 1_000_000, 5_000_000))
        archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _nested(rng: Random) -> bytes:
    """A model file in, before, or behind another."""
    inner, bundle = base().to_bytes(), base()
    if rng.random() < 0.5:
        return rng.choice((inner + inner, NETWORK + inner, inner + inner[len(NETWORK) :]))
    return Bundle.seal(
        inner, bundle.files, name="nested", outputs={"scores": "scores"}
    ).to_bytes()  # fmt: skip


def _values(rng: Random) -> Any:
    deep: Any = 1
    for _ in range(rng.choice((5, 31, 40, 500))):
        deep = {"a": deep} if rng.random() < 0.5 else [deep]
    return rng.choice((
        None, True, False, 0, -1, 1, 2**31, 2**64, 10**400, -(10**4000), 0.5, 1e308, float("nan"),
        float("inf"), -float("inf"), "", "x", "x" * 100_000, "\ud800", "\0", "\x1b[2J", "0" * 64,
        "A" * 64, "../../x", "golden/0.png", [], [[]], {}, {"": {}}, [1, 2], [0] * 100_000, deep,
        {"scores": "x"}, {"scores": 1}, {"scores": "x", "map": None}, ["no-corrosion", "corrosion"],
        [{"picture": "golden/0.png"}], {"golden/0.png": "0" * 64}, {"x" * 5000: 1},
    ))  # fmt: skip


def _manifest(rng: Random) -> bytes:
    """Any value in any field of the manifest; the rest is right."""
    fields = json.loads(base().manifest.to_json())
    for _ in range(rng.choice((1, 1, 2, 4))):
        place, name = _somewhere(fields, rng)
        if rng.random() < 0.1:
            del place[name]
        else:
            place[name] = _values(rng)
    return _with_manifest(json.dumps(fields).encode(*rng.choice(((), ("utf-16",)))))


def _somewhere(fields: dict[str, Any], rng: Random) -> tuple[Any, Any]:
    place: Any = fields
    while True:
        name = rng.choice(list(place)) if isinstance(place, dict) else rng.randrange(len(place))
        inner = place[name]
        if not isinstance(inner, dict | list) or not inner or rng.random() < 0.4:
            return place, name
        place = inner


def _with_manifest(text: bytes) -> bytes:
    bundle = base()
    members = (*sorted(bundle.files.items()), (MANIFEST_NAME, text))
    return Container(bundle.model, members).to_bytes()


def _text(rng: Random) -> bytes:
    """A manifest whose text is damaged."""
    text = base().manifest.to_json().encode()
    place = rng.randrange(len(text))
    other = (b"", b"[" * 50_000, b'{"a":' * 5000,
             b"\xff", b"1" * 5000, b"NaN", b"1e999", b'"\\ud800"',
             b'"name": "other", ', text, rng.randbytes(20), b"\0", b"/*")  # fmt: skip
    return _with_manifest(text[:place] + rng.choice(other) + text[place + rng.choice((0, 1, 9)) :])


def _picture(rng: Random) -> bytes:
    """Golden pictures that are none, or that unpack to far more than they are."""
    bundle, picture = base(), rng.choice(PICTURES)(rng)
    made = Bundle.seal(
        NETWORK, {"golden/0.png": picture}, name="test", golden=bundle.manifest.golden,
        outputs=bundle.manifest.outputs,
    )  # fmt: skip
    return made.to_bytes()


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(
        ">I", zlib.crc32(kind + content))  # fmt: skip


def _png(width: int, height: int, *chunks: bytes, data: bytes = b"") -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (_chunk(b"IHDR", head), *chunks, _chunk(b"IDAT", data), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


_ZEROS = zlib.compress(bytes(3_000_000), 9)


def _bomb(rng: Random) -> bytes:
    side = rng.choice((1, 4096, 5000, 20_000, 65_535, 2**31 - 1))
    return _png(side, rng.choice((1, side, 4096)), data=_ZEROS)


def _talkative(rng: Random) -> bytes:
    text = _chunk(b"zTXt", b"a\0\0" + _ZEROS)
    return _png(4, 4, *[text] * rng.choice((1, 20, 60)), data=zlib.compress(bytes(52)))


def _other_format(rng: Random) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, rng.choice(("GIF", "TIFF", "BMP", "JPEG", "PPM", "ICO")))
    return stream.getvalue()


def _broken_picture(rng: Random) -> bytes:
    content = bytearray(png(mode=rng.choice(("RGB", "L", "1", "RGBA", "P", "I;16"))))
    for _ in range(rng.choice((0, 1, 4))):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return bytes(content[: rng.choice((len(content), rng.randrange(len(content))))])


PICTURES = (_bomb, _talkative, _other_format, _broken_picture)


def _signature(rng: Random) -> bytes:
    """A signature that is damaged, or that was never made."""
    fields: dict[str, Any] = {"key": "a" * 64, "signature": "b" * 128, "format": 1,
                              "algorithm": "Ed25519"}  # fmt: skip
    text = (json.dumps(fields, indent=1) + "\n").encode()
    if rng.random() < 0.6:
        fields[rng.choice(list(fields))] = _values(rng)
        text = json.dumps(fields, indent=rng.choice((None, 1))).encode()
    elif rng.random() < 0.5:
        text = rng.choice((b"", b"[" * 50_000, rng.randbytes(50), text[:-1], text + b" "))
    file = Container.from_bytes(base().to_bytes())
    members = [*file.members]
    members.insert(rng.choice((0, len(members))), (SIGNATURE_NAME, text))
    return Container(file.model, tuple(members)).to_bytes()


KINDS: tuple[Callable[[Random], bytes], ...] = (
    _truncated, _flipped, _spliced, _words, _lies, _names, _doubled, _many, _comment, _zip64,
    _overlapping, _compressed, _nested, _manifest, _manifest, _manifest, _text, _picture,
    _signature,
)  # fmt: skip
