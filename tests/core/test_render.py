"""Rendered surfaces: deterministic, covered as asked, growing without going back."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from corrosion_edge import render
from corrosion_edge.render.clip import coverage
from corrosion_edge.render.noise import cells, fractal, ramp, rank
from corrosion_edge.render.scene import scene

SMALL = (64, 48)
COARSE = settings(max_examples=20, deadline=None)
kinds = st.sampled_from(render.SURFACES)
seeds = st.integers(0, 2**32)
shares = st.floats(0.0, 1.0)


def orange(picture: np.ndarray) -> float:
    """Mean of red minus blue, in steps of 255."""
    values = picture.astype(np.float64)
    return float((values[..., 0] - values[..., 2]).mean())


@pytest.mark.parametrize("kind", render.SURFACES)
def test_a_surface_has_the_asked_size_and_is_the_same_every_time(kind: str) -> None:
    first = render.surface(kind, rust=0.3, seed=4, size=(90, 50))
    assert first.shape == (50, 90, 3)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, render.surface(kind, rust=0.3, seed=4, size=(90, 50)))


@pytest.mark.parametrize("kind", render.SURFACES)
def test_another_seed_is_another_surface(kind: str) -> None:
    one, other = (render.surface(kind, seed=seed, size=SMALL) for seed in (1, 2))
    assert np.abs(one.astype(int) - other).mean() > 3


@COARSE
@given(kind=kinds, rust=shares, seed=seeds)
def test_the_mask_covers_the_asked_share(kind: str, rust: float, seed: int) -> None:
    mask = render.rust_mask(kind, rust=rust, seed=seed, size=SMALL)
    assert mask.shape == (SMALL[1], SMALL[0])
    assert abs(int(mask.sum()) - rust * mask.size) <= 2


@COARSE
@given(kind=kinds, less=shares, more=shares, seed=seeds)
def test_what_has_rusted_stays_rusted(kind: str, less: float, more: float, seed: int) -> None:
    less, more = sorted((less, more))
    stages = scene(kind, seed=seed, size=SMALL)
    assert not (stages.mask(less) & ~stages.mask(more)).any()


@COARSE
@given(kind=kinds, rust=shares, seed=seeds)
def test_pixels_change_where_the_mask_says(kind: str, rust: float, seed: int) -> None:
    stages = scene(kind, seed=seed, size=SMALL)
    mask = stages.mask(rust)
    # The lip of the coating shades the one row of pixels below each border.
    reach = mask.copy()
    reach[1:] |= mask[:-1]
    changed = np.abs(stages.picture(rust) - stages.clean).max(axis=-1) > 0.01
    assert not (changed & ~reach).any()
    assert changed.sum() >= 0.9 * mask.sum() - 2


@pytest.mark.parametrize("kind", render.SURFACES)
@pytest.mark.parametrize("rust", [0.2, 0.6])
def test_the_share_that_visibly_changes_matches(kind: str, rust: float) -> None:
    stages = scene(kind, seed=21, size=(320, 240))
    visible = np.abs(stages.picture(rust) - stages.clean).max(axis=-1) > 10
    assert visible.mean() == pytest.approx(rust, abs=0.02)


@pytest.mark.parametrize("kind", render.SURFACES)
def test_the_lens_carries_rust_no_further_than_a_pixel(kind: str) -> None:
    asked: dict[str, Any] = {"seed": 22, "size": (320, 240)}
    clean, rusted = (render.surface(kind, rust=rust, **asked).astype(int) for rust in (0.0, 0.4))
    mask = np.pad(render.rust_mask(kind, rust=0.4, **asked), 1)
    near = mask[1:-1, 1:-1] | mask[:-2, 1:-1] | mask[2:, 1:-1] | mask[1:-1, :-2] | mask[1:-1, 2:]
    visible = np.abs(clean - rusted).max(axis=-1) > 10
    assert (visible & ~near).mean() < 0.005
    assert (visible & near).mean() > 0.39


@pytest.mark.parametrize("kind", ["steel", "paint", "shadow", "dirt"])
def test_rust_turns_a_surface_orange(kind: str) -> None:
    shares = [0.0, 0.2, 0.4, 0.6]
    tints = [orange(render.surface(kind, rust=rust, seed=3, size=(160, 120))) for rust in shares]
    assert tints == sorted(tints)
    assert tints[-1] - tints[0] > 20


def test_shadows_are_dark_and_hard() -> None:
    picture = render.surface("shadow", seed=5, size=(320, 240)).mean(axis=-1)
    dark, bright = np.quantile(picture, [0.05, 0.95])
    assert bright > 1.8 * dark


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"kind": "wood"}, "kind"),
        ({"rust": 1.1}, "rust"),
        ({"rust": float("nan")}, "rust"),
        ({"seed": -1}, "seed"),
        ({"size": (8, 64)}, "size"),
    ],
)
def test_wrong_arguments_are_named(changed: dict[str, Any], word: str) -> None:
    asked: dict[str, Any] = {"kind": "steel", "rust": 0.1, "seed": 1, "size": SMALL} | changed
    kind = asked.pop("kind")
    for function in (render.surface, render.rust_mask):
        with pytest.raises(ValueError, match=f"^{word} must"):
            function(kind, **asked)


def test_a_clip_has_its_frames_and_is_the_same_every_time() -> None:
    first, second = (list(render.clip(frames=5, size=(80, 60), seed=9)) for _ in range(2))
    assert len(first) == 5
    assert all(frame.shape == (60, 80, 3) and frame.dtype == np.uint8 for frame in first)
    np.testing.assert_array_equal(first, second)


def test_a_clip_grows_from_clean_to_heavy_without_going_back() -> None:
    pace = [coverage(index, 60) for index in range(60)]
    assert pace[0] == 0.0
    assert 0.5 <= pace[-1] <= 0.7
    assert pace == sorted(pace)
    tints = [orange(frame) for frame in render.clip(frames=40, size=(160, 120))]
    assert np.diff(tints).min() > -1.0
    assert tints[-1] - tints[0] > 25


def test_a_clip_does_not_flicker() -> None:
    frames = [frame.astype(int) for frame in render.clip(frames=60, size=(160, 120))]
    steps = [np.abs(b - a).mean() for a, b in pairwise(frames)]
    assert min(steps) > 0.3  # the sensor's noise is there
    assert max(steps) < 8.0
    assert max(steps) < np.abs(frames[-1] - frames[0]).mean() / 4


def test_clip_refuses_no_frames_and_tiny_ones_at_the_call() -> None:
    with pytest.raises(ValueError, match="frames"):
        render.clip(frames=0)
    with pytest.raises(ValueError, match="size"):
        render.clip(size=(2, 480))


def test_a_clip_of_one_frame_is_clean() -> None:
    (only,) = render.clip(frames=1, size=SMALL)
    assert coverage(0, 1) == 0.0
    assert only.shape == (SMALL[1], SMALL[0], 3)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rendered") / "set"
    render.write_dataset(folder, per_class=30, seed=2, size=SMALL)
    return folder


def test_a_dataset_is_split_70_20_10(dataset: Path) -> None:
    found = Counter(path.parent.relative_to(dataset).as_posix() for path in dataset.rglob("*.jpg"))
    assert found == {
        "train/CORROSION": 21,
        "train/NOCORROSION": 21,
        "validation/CORROSION": 6,
        "validation/NOCORROSION": 6,
        "test/CORROSION": 3,
        "test/NOCORROSION": 3,
    }


def test_names_tell_kind_seed_and_coverage(dataset: Path) -> None:
    names = list(dataset.rglob("*.jpg"))
    parts = [re.fullmatch(r"(.+)-seed(\d+)-rust(\d\d)\.jpg", path.name) for path in names]
    assert all(parts)
    assert len({part[2] for part in parts if part}) == len(names)
    for label, low, high in (("CORROSION", 8, 80), ("NOCORROSION", 0, 0)):
        mine = [p for p, n in zip(parts, names, strict=True) if p and n.parent.name == label]
        assert {part[1] for part in mine} == set(render.SURFACES)
        assert all(low <= int(part[3]) <= high for part in mine)


def test_files_are_pictures_of_the_asked_size(dataset: Path) -> None:
    for path in dataset.rglob("*.jpg"):
        with Image.open(path) as image:
            image.load()
            assert (image.format, image.mode, image.size) == ("JPEG", "RGB", SMALL)


def test_a_file_shows_what_its_name_says(dataset: Path) -> None:
    path = sorted(dataset.glob("train/CORROSION/*.jpg"))[0]
    kind, seed = re.match(r"(.+)-seed(\d+)", path.name).groups()  # type: ignore[union-attr]
    rust = int(path.stem[-2:]) / 100
    pixels = np.asarray(Image.open(path), int)
    expected = render.surface(kind, rust=rust, seed=int(seed), size=SMALL)
    assert np.abs(pixels - expected).mean() < 8


def test_the_same_arguments_write_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        render.write_dataset(tmp_path / name, per_class=10, seed=5, size=SMALL)
    first, second = (
        {
            path.relative_to(tmp_path / name): path.read_bytes()
            for path in tmp_path.glob(f"{name}/*/*/*")
        }
        for name in ("a", "b")
    )
    assert len(first) == 20
    assert first == second


def test_a_dataset_is_not_mixed_into_another(dataset: Path) -> None:
    with pytest.raises(FileExistsError):
        render.write_dataset(dataset, per_class=10, seed=3, size=SMALL)


def test_a_dataset_too_small_to_split_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="per_class"):
        render.write_dataset(tmp_path, per_class=9, seed=1)
    assert not any(tmp_path.iterdir())


def test_golden_pictures_differ_in_size_and_stay_the_same() -> None:
    first, second = render.golden_pictures(4), render.golden_pictures(4)
    assert len({picture.shape for picture in first}) == 4
    for one, other in zip(first, second, strict=True):
        assert one.dtype == np.uint8
        np.testing.assert_array_equal(one, other)
    with pytest.raises(ValueError, match="count"):
        render.golden_pictures(0)


def test_only_numpy_and_pillow_are_imported() -> None:
    code = (
        "import sys, corrosion_edge.render\n"
        "heavy = {'tensorflow', 'keras', 'sklearn', 'scipy', 'matplotlib', 'av'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@given(values=st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=60))
def test_rank_spreads_evenly_and_keeps_the_order(values: list[float]) -> None:
    field = np.array([values], np.float32)
    ranks = rank(field)
    expected = (np.arange(field.size) / field.size).astype(np.float32)
    np.testing.assert_array_equal(np.sort(ranks, axis=None), expected)
    np.testing.assert_array_equal(field.ravel()[np.argsort(ranks, axis=None)], np.sort(field)[0])


def test_noise_is_standardised_and_smooth() -> None:
    field = fractal(np.random.default_rng(1), (60, 80), 20.0, octaves=3)
    assert field.shape == (60, 80)
    assert field.dtype == np.float32
    assert field.mean() == pytest.approx(0, abs=1e-4)
    assert field.std() == pytest.approx(1, abs=1e-4)
    assert np.abs(np.diff(field, axis=1)).mean() < 0.5


def test_ramp_is_flat_outside_and_rises_between() -> None:
    values = ramp(np.linspace(-1, 2, 31, dtype=np.float32), 0.0, 1.0)
    assert values[:11].max() == 0.0
    assert values[20:].min() == pytest.approx(1.0)
    assert (np.diff(values) >= 0).all()


def test_cells_are_patches_of_one_value() -> None:
    mosaic = cells(np.random.default_rng(3), (60, 60), 10.0)
    assert 20 < len(np.unique(mosaic)) < 80
    assert (np.diff(mosaic, axis=1) == 0).mean() > 0.8
