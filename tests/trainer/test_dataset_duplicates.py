import hashlib
from itertools import pairwise

import numpy as np
import pytest
from dataset_pictures import noise, picture
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from corrosion_edge.benchmarks.dataset.versions import VERSIONS, caption
from corrosion_edge.trainer.dataset.candidates import candidates
from corrosion_edge.trainer.dataset.confirm import Measures, confirm
from corrosion_edge.trainer.dataset.duplicates import Finder, Pair, grouped_by
from corrosion_edge.trainer.dataset.features import MIRRORED, describe, hash_distance, shrink
from corrosion_edge.trainer.dataset.register import flat_overlay, overlay
from corrosion_edge.trainer.dataset.store import FeatureStore

BASES = 5


def _describe(whole: Image.Image):
    return describe(shrink(np.asarray(whole.convert("RGB"))))


def _found(pictures, order=None):
    """The pairs among pictures, by their places, added in another order."""
    order = list(range(len(pictures))) if order is None else order
    with Finder() as finder:
        for place in order:
            digest = hashlib.sha256(pictures[place].tobytes()).hexdigest()
            finder.add(digest, _describe(pictures[place]))
        pairs = finder.pairs()
    return {tuple(sorted((order[p.a], order[p.b]))): p.measures for p in pairs}


@pytest.fixture(scope="module")
def bases():
    return [picture(number) for number in range(BASES)]


@pytest.mark.parametrize("kind", VERSIONS)
def test_each_version_of_a_picture_is_found_and_no_other_picture(kind, bases):
    versions = [VERSIONS[kind](base) for base in bases]
    found = _found([*bases, *versions])
    assert set(found) == {(i, BASES + i) for i in range(BASES)}


@pytest.mark.parametrize("kind", ["mirrored", "mirrored crop"])
def test_a_mirror_image_is_said_to_be_one(kind, bases):
    assert confirm(_describe(bases[0]), _describe(VERSIONS[kind](bases[0]))).mirrored
    assert not confirm(_describe(bases[0]), _describe(VERSIONS["grey"](bases[0]))).mirrored


@pytest.mark.parametrize("quality", [30, 60, 95])
def test_another_compression(quality, bases, tmp_path):
    for base in bases:
        base.save(tmp_path / "x.jpg", quality=quality)
        measures = confirm(_describe(base), _describe(Image.open(tmp_path / "x.jpg")))
        assert measures.hash_bits <= 2
        assert measures.correlation > 0.9


def test_one_caption_under_different_pictures_is_no_reason(bases):
    assert _found([caption(base) for base in bases]) == {}


def test_one_logo_over_different_pictures_is_no_reason(bases):
    marked = [base.copy() for base in bases]
    for base in marked:
        for place in range(4):
            words = (30 + 60 * place, 20 + 50 * place)
            ImageDraw.Draw(base).text(words, "EXAMPLE", "white", font_size=26)
    assert _found(marked) == {}


def test_pictures_without_key_points_are_compared_by_hash_and_pixels():
    blobs = [noise(1), noise(2), noise(1).resize((128, 96)), noise(2).transpose(0)]
    few = [_describe(blob) for blob in blobs]
    assert all(overlay(few[a], few[b], 10) is None for a, b in ((0, 1), (1, 2)))
    assert set(_found(blobs)) == {(0, 2), (1, 3)}


def test_plain_pictures_are_nothing_to_judge_by_but_copies_are_found():
    greys = [Image.new("RGB", (80, 60), (level, level, level)) for level in (90, 90, 170)]
    assert set(_found(greys)) == {(0, 1)}


def test_all_pairs_of_a_group_are_told_and_the_order_does_not_matter(bases):
    pictures = [
        bases[0], bases[1], VERSIONS["half size"](bases[0]), VERSIONS["grey"](bases[0]),
        bases[0].copy(), VERSIONS["mirrored"](bases[1]),
    ]  # fmt: skip
    found = _found(pictures)
    assert set(found) == {(0, 2), (0, 3), (0, 4), (2, 3), (2, 4), (3, 4), (1, 5)}
    assert _found(pictures, [5, 3, 4, 0, 1, 2]) == found
    assert found[0, 4].correlation == 1


def test_an_empty_and_a_single_collection():
    assert _found([]) == {}
    assert _found([noise(3)]) == {}


def test_the_bins_of_a_mirrored_picture_are_the_permuted_ones(bases):
    plain = shrink(np.asarray(bases[1]))
    one, other = describe(plain), describe(plain.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    turned = np.stack([one.grey.shape[1] - 1 - one.points[:, 0], one.points[:, 1]], axis=1)
    gaps = np.linalg.norm(turned[:, None] - other.points[None], axis=2)
    same = np.flatnonzero(gaps.min(axis=1) < 0.1)
    assert len(same) > 100
    wide = one.descriptors[same].astype(int)
    there = other.descriptors[gaps[same].argmin(axis=1)].astype(int)
    assert np.median(np.abs(wide[:, MIRRORED] - there).sum(axis=1)) < 100
    assert np.median(np.abs(wide - there).sum(axis=1)) > 1000
    assert (MIRRORED[MIRRORED] == np.arange(128)).all()


def test_hashes_of_flips_and_the_flat_overlay_agree(bases):
    one = _describe(bases[2])
    flips = [None, 0, 1, 3]  # Pillow's numbers: left to right, top to bottom, 180 degrees
    for number, flip in enumerate(flips):
        other = _describe(bases[2] if flip is None else bases[2].transpose(flip))
        assert hash_distance(one.hashes, other.hashes).argmin() == number
        laid = flat_overlay(one, other, number).picture.astype(int)
        assert np.abs(laid - one.grey).mean() < 1


def test_the_store_gives_back_what_was_put_in(bases):
    features = [_describe(base) for base in (*bases[:2], noise(4))]
    with FeatureStore() as store:
        for one in features:
            store.add(one)
        store.arrange([2, 0, 1])
        for place, one in enumerate((features[2], features[0], features[1])):
            back = store[place]
            for name in ("hashes", "points", "descriptors", "grey"):
                np.testing.assert_array_equal(getattr(back, name), getattr(one, name))
            np.testing.assert_array_equal(store.descriptors(place), one.descriptors)
        assert all(a < b < 3 for a, b in candidates(store).tolist())


@given(st.integers(1, 30).flatmap(lambda n: st.tuples(
    st.just(n), st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=30)
)))  # fmt: skip
def test_groups_are_the_connected_parts(case):
    count, links = case
    groups = grouped_by(links, count).tolist()
    assert all(groups[a] == groups[b] for a, b in links)
    parts = list(range(count))
    for a, b in links:
        parts = [parts[b] if part == parts[a] else part for part in parts]
    assert len(set(groups)) == len(set(parts))
    firsts = [groups.index(group) for group in range(len(set(groups)))]
    assert all(a < b for a, b in pairwise(firsts))


MEASURES = {
    "hash_bits": 20, "inliers": 40, "overlap": 1.0, "turn": 0.1, "correlation": 0.9,
    "agreement": 0.9, "mirrored": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"overlap": 0.4}, False),
        ({"correlation": 0.4}, False),
        ({"agreement": 0.4}, False),
        ({"agreement": 0.6}, True),
        ({"agreement": 0.6, "inliers": 12}, False),
        ({"inliers": 12}, True),
        ({"inliers": 5}, False),
        ({"inliers": 0, "hash_bits": 4}, True),
        ({"turn": 2.0}, False),
        ({"turn": 2.0, "correlation": 0.97, "agreement": 1.0}, True),
        ({"turn": 2.0, "correlation": 0.97, "agreement": 1.0, "inliers": 20}, False),
    ],
)
def test_the_rule(change, same):
    assert Measures(**MEASURES | change).same == same


def test_a_pair_is_in_order():
    with pytest.raises(ValueError, match="a < b"):
        Pair(3, 3, Measures(**MEASURES))
