import io
import os
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from corrosion_edge import image
from corrosion_edge.errors import ImageError
from corrosion_edge.image import Preprocessing

RED = (200, 30, 10)


def _saved(path: Path, mode: str = "RGB", size=(6, 4), colour=RED, **options) -> Path:
    picture = Image.new("RGB", size, colour)
    turned = picture.quantize(4) if mode == "P" else picture.convert(mode)
    turned.save(path, **options)
    return path


def test_a_png_called_jpg_is_read(tmp_path):
    path = tmp_path / "lies.jpg"
    _saved(path, format="PNG")
    assert image.read(path).shape == (4, 6, 3)
    assert (image.read(path) == RED).all()


@pytest.mark.parametrize("mode", ["RGB", "P", "RGBA", "CMYK", "YCbCr"])
def test_every_mode_comes_out_as_rgb(tmp_path, mode):
    path = (
        _saved(tmp_path / "x.tif", mode)
        if mode in ("CMYK", "YCbCr")
        else (_saved(tmp_path / "x.png", mode))
    )
    pixels = image.read(path)
    assert pixels.dtype == np.uint8
    assert np.abs(pixels.astype(int) - RED).max() <= 6


def test_grey_and_bilevel(tmp_path):
    for mode, value in (("L", 77), ("1", 255)):
        Image.new(mode, (3, 2), value).save(tmp_path / "grey.png")
        assert (image.read(tmp_path / "grey.png") == value).all()


def test_sixteen_bits_keep_the_upper_eight(tmp_path):
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)[None]
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    assert np.array_equal(image.read(tmp_path / "deep.png")[0, :, 1], (ramp[0] >> 8))


def test_floating_point_pixels_are_refused_with_a_way_out(tmp_path):
    Image.new("F", (3, 2), 0.5).save(tmp_path / "float.tif")
    with pytest.raises(ImageError, match=r"float\.tif: .*8 or 16 bits"):
        image.read(tmp_path / "float.tif")


def test_transparent_pixels_are_put_on_white(tmp_path):
    Image.new("RGBA", (3, 2), (10, 20, 30, 0)).save(tmp_path / "clear.png")
    assert (image.read(tmp_path / "clear.png") == 255).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path, orientation):
    upright = np.zeros((8, 16, 3), np.uint8)
    upright[:4, :8] = RED
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = Image.fromarray(upright)
    picture.save(tmp_path / "turned.png", exif=exif)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / "turned.png")))
    assert np.array_equal(image.read(tmp_path / "turned.png"), expected)
    assert expected.shape == ((8, 16, 3) if orientation <= 4 else (16, 8, 3))


def _bomb(width: int, height: int) -> bytes:
    """A small PNG file that claims a huge picture."""
    import struct

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )  # fmt: skip


@pytest.mark.parametrize("side", [9_500, 20_000, 60_000])
def test_a_decompression_bomb_is_refused(tmp_path, side):
    (tmp_path / "bomb.png").write_bytes(_bomb(side, side))
    with pytest.raises(ImageError, match=r"bomb\.png: refused"):
        image.read(tmp_path / "bomb.png")


def test_a_picture_truncated_anywhere_is_an_image_error(tmp_path):
    stream = io.BytesIO()
    Image.effect_noise((32, 32), 60).convert("RGB").save(stream, "JPEG")
    whole = stream.getvalue()
    refused = 0
    for length in range(0, len(whole) - 2, 7):
        (tmp_path / "cut.jpg").write_bytes(whole[:length])
        with pytest.raises(ImageError, match=r"cut\.jpg"):
            image.read(tmp_path / "cut.jpg")
        refused += 1
    assert refused > 20


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff"]
)
def test_what_is_no_picture_is_an_image_error(tmp_path, content):
    (tmp_path / "x.jpg").write_bytes(content)
    with pytest.raises(ImageError, match=r"x\.jpg"):
        image.read(tmp_path / "x.jpg")


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(ImageError, match="no such file"):
        image.read(tmp_path / "missing.jpg")
    with pytest.raises(ImageError):
        image.read(tmp_path)


def test_odd_exif_gives_no_warning(tmp_path):
    path = _saved(tmp_path / "x.jpg", exif=b"Exif\0\0broken")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image.read(path)


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 40), st.integers(1, 40))
def test_prepare_gives_the_networks_size_and_keeps_a_flat_colour(height, width, h, w):
    flat = np.full((height, width, 3), RED, np.uint8)
    prepared = image.prepare(flat, Preprocessing(w, h))
    assert prepared.shape == (h, w, 3)
    assert prepared.dtype == np.uint8
    assert (prepared == RED).all()


def test_prepare_antialiases():
    """Without antialiasing a fine checkerboard would stay black and white, or turn one colour."""
    checks = np.indices((256, 256)).sum(0) % 2 * 255
    prepared = image.prepare(
        np.repeat(checks[..., None], 3, 2).astype(np.uint8), Preprocessing(32, 32)
    )
    assert np.abs(prepared[2:-2, 2:-2].astype(int) - 128).max() <= 2


def test_prepare_is_pillows_bilinear_filter():
    """Golden values: the specification's filter, computed by hand for a step edge 4 -> 2."""
    row = np.array([0, 0, 255, 255], np.uint8)
    picture = np.repeat(np.repeat(row[None, :, None], 4, 0), 3, 2)
    # Triangle of support 2 around 1.0 and 3.0; weights .25 .75 .75(.25) normalised.
    assert image.prepare(picture, Preprocessing(2, 2))[0, :, 0].tolist() == [36, 219]


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_prepare_refuses_other_arrays(wrong):
    with pytest.raises(ValueError, match="expected uint8"):
        image.prepare(wrong, Preprocessing())


@pytest.mark.parametrize(
    "fields",
    [
        {"width": 0},
        {"height": 5000},
        {"colour": "BGR"},
        {"resize": "crop"},
        {"nonsense": 1},
        {"width": "224"},
    ],
)
def test_a_specification_this_version_does_not_know_is_refused(fields):
    with pytest.raises(ValueError):
        Preprocessing.from_dict(Preprocessing().to_dict() | fields)


def smooth(width, height):
    """A picture without fine detail, in which each corner has its own colour."""
    across, down = np.linspace(0, 255, width), np.linspace(0, 255, height)
    return np.stack([np.broadcast_to(across, (height, width)),
                     np.broadcast_to(down[:, None], (height, width)),
                     np.full((height, width), 90.0)], 2).astype(np.uint8)  # fmt: skip


@pytest.mark.parametrize(("size", "at_least", "expected"), [
    ((1920, 1080), 448, (960, 540)),
    ((1920, 1080), 541, (1920, 1080)),
    ((1920, 1080), 540, (960, 540)),
    ((801, 900), 100, (101, 113)),
    ((640, 480), 448, (640, 480)),
    ((2000, 2000), 0, (2000, 2000)),
])  # fmt: skip
def test_a_jpeg_is_reduced_to_no_less_than_is_wanted(tmp_path, size, at_least, expected):
    Image.fromarray(smooth(*size)).save(tmp_path / "x.jpg")
    assert image.read(tmp_path / "x.jpg", at_least=at_least).shape[1::-1] == expected


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_reduced_jpeg_is_the_whole_one_made_smaller(tmp_path, mode, orientation, options):
    picture = Image.fromarray(smooth(640, 480)).convert(mode)
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture.save(tmp_path / "x.jpg", exif=exif, quality=95, **options)
    whole = image.read(tmp_path / "x.jpg")
    reduced = image.read(tmp_path / "x.jpg", at_least=100)
    assert reduced.shape[:2] == (whole.shape[0] // 4, whole.shape[1] // 4)
    spec = Preprocessing(width=64, height=64)
    difference = image.prepare(whole, spec).astype(int) - image.prepare(reduced, spec)
    assert np.abs(difference).max() <= 6


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_what_is_no_jpeg_is_decoded_whole(tmp_path, format):
    Image.fromarray(np.full((900, 1000), 65535, np.uint16)).save(tmp_path / "x", format=format)
    pixels = image.read(tmp_path / "x", at_least=100)
    assert pixels.shape == (900, 1000, 3)
    assert pixels.min() == 255


@pytest.mark.parametrize("at_least", [0, 100])
@pytest.mark.parametrize("kind", ["jpg", "png", "webp"])
def test_reading_straight_to_the_networks_size_is_the_same_to_the_last_bit(
    tmp_path, kind, at_least
):
    pixels = np.random.default_rng(3).integers(0, 256, (300, 410, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(tmp_path / f"x.{kind}", exif=exif)
    path = tmp_path / f"x.{kind}"
    for spec in (Preprocessing(), Preprocessing(width=31, height=77), Preprocessing(300, 410)):
        expected = image.prepare(image.read(path, at_least=at_least), spec)
        assert np.array_equal(image.read_prepared(path, spec, at_least=at_least), expected)


def test_a_cut_jpeg_is_an_error_at_any_size(tmp_path):
    Image.fromarray(smooth(640, 480)).save(tmp_path / "x.jpg")
    (tmp_path / "x.jpg").write_bytes((tmp_path / "x.jpg").read_bytes()[:3000])
    for at_least in (0, 100):
        with pytest.raises(ImageError, match=r"x\.jpg: cannot be read"):
            image.read(tmp_path / "x.jpg", at_least=at_least)


def test_a_named_pipe_is_no_picture_and_not_waited_for(tmp_path):
    pipe = tmp_path / "pipe.jpg"
    os.mkfifo(pipe)
    writer = os.open(pipe, os.O_RDWR)  # so that without the check it fails, and does not hang
    os.write(writer, b"x" * 100)
    with pytest.raises(ImageError, match=r"pipe\.jpg: cannot be read \(a named pipe and no file\)"):
        image.read(pipe)
    os.close(writer)
