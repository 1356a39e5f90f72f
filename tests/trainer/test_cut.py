import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

import keras

from corrosion_edge.trainer import backbones, model
from corrosion_edge.trainer.cut import above, between, cut, depths, places

MAKERS = {
    "tiny": lambda: backbones.build("tiny", 32, "none")[0],
    "v2": lambda: backbones.build("efficientnetv2-b0", 32, "none")[0],
    "v1": lambda: _application("EfficientNetB0"),
    "densenet": lambda: _application("DenseNet121"),
}


def _application(name: str) -> keras.Model:
    make = getattr(keras.applications, name)
    return make(include_top=False, weights=None, input_shape=(32, 32, 3))


@pytest.fixture(scope="module", params=MAKERS)
def network(request) -> keras.Model:
    keras.utils.set_random_seed(2)
    made = MAKERS[request.param]()
    rng = np.random.default_rng(0)
    for layer in made.layers:  # random statistics, so that batch normalisation does something
        for variable in layer.weights if "moving" in str([v.name for v in layer.weights]) else []:
            variable.assign(rng.uniform(0.5, 1.5, variable.shape))
    return made


@pytest.fixture(scope="module")
def v2() -> keras.Model:
    return MAKERS["v2"]()


PIXELS = np.random.default_rng(1).uniform(0, 255, (3, 32, 32, 3)).astype(np.float32)


def test_both_parts_together_are_the_network(network):
    expected = np.asarray(network(PIXELS, training=False))
    total = len(network.layers)
    for first in (0, total // 2, total - total // 5, total):
        parts = cut(network, first)
        assert parts.at.layer < max(first, 1)
        maps = parts.prefix(PIXELS, training=False)
        assert maps.shape[1:] == parts.at.shape
        assert np.asarray(maps).nbytes == len(PIXELS) * parts.at.bytes
        np.testing.assert_allclose(parts.suffix(maps, training=False), expected, rtol=1e-5)
        layers = {id(x) for x in [*parts.prefix.layers, *parts.suffix.layers] if x.weights}
        assert layers == {id(x) for x in network.layers if x.weights}


def test_no_place_is_inside_a_branch(network):
    """At each place, what comes after can be computed from that tensor alone; nowhere else."""
    found = {place.layer for place in places(network)}
    assert len(network.layers) - 1 in found
    for index, layer in enumerate(network.layers[:-1]):
        try:
            rest = keras.Model(layer.output, network.outputs[0])
        except ValueError:  # the graph needs more than this tensor
            assert index not in found
            continue
        above_it = {id(x) for x in rest.layers if x is not layer}
        above_it &= {id(x) for x in network.layers}
        assert (index in found) == (above_it == {id(x) for x in network.layers[index + 1 :]})


def test_no_later_place_would_do(network):
    ends = [place.layer for place in places(network)]
    for first in (1, len(network.layers) // 3, len(network.layers) - 3):
        assert cut(network, first).at.layer == max(end for end in ends if end < first)


def test_later_maps_come_from_earlier_ones(network):
    total = len(network.layers)
    early, late = cut(network, total // 2), cut(network, total - total // 10)
    chained = between(network, early.at, late.at)(early.prefix(PIXELS))
    np.testing.assert_allclose(chained, late.prefix(PIXELS), rtol=1e-5)
    with pytest.raises(ValueError, match="later place"):
        between(network, late.at, early.at)


def test_a_network_that_was_cut_can_still_be_saved(v2, tmp_path):
    expected = np.asarray(v2(PIXELS, training=False))
    cut(v2, len(v2.layers) // 2)
    v2.save(tmp_path / "n.keras")
    loaded = keras.models.load_model(tmp_path / "n.keras")
    np.testing.assert_allclose(loaded(PIXELS, training=False), expected, rtol=1e-5)
    assert places(v2)[-1].layer == len(v2.layers) - 1


def test_the_top_fifth_of_v2_b0_lies_above_block_6d():
    network, _ = backbones.build("efficientnetv2-b0", 224, "none")
    at = cut(network, 270 - 54).at
    assert (at.name, at.shape, at.bytes) == ("block6d_add", (7, 7, 192), 37_632)


@pytest.mark.parametrize("pooling", ["avg", "max"])
def test_the_part_above_gives_the_models_probabilities(network, pooling):
    parts = model.assemble(network, pooling)
    expected = np.asarray(parts.model(PIXELS, training=False))
    at = cut(parts, len(network.layers) // 2)
    np.testing.assert_allclose(above(parts, at)(at.prefix(PIXELS)), expected, rtol=1e-5)
    np.testing.assert_allclose(above(parts, None)(parts.features(PIXELS)), expected, rtol=1e-5)


def test_in_training_mode_dropout_acts_and_statistics_do_not_move(v2):
    parts = model.assemble(v2, "avg")
    at = cut(parts, 1)
    whole = above(parts, at)
    before = [v.numpy() for v in v2.weights]
    runs = [np.asarray(whole(PIXELS, training=True)) for _ in range(8)]
    assert len({run.tobytes() for run in runs}) > 1
    assert all(np.array_equal(a, b.numpy()) for a, b in zip(before, v2.weights, strict=True))


def test_depth_counts_blocks_from_the_top(v2):
    depth = {path.split("/")[0]: d for path, d in depths(v2).items()}
    assert depth["top_conv"] == depth["top_bn"] == 0
    assert depth["block6h_project_conv"] == depth["block6h_se_reduce"] == 1
    assert depth["block6h_expand_conv"] == depth["block6h_dwconv2"] == 1
    assert depth["block6g_project_bn"] == 2
    assert depth["stem_conv"] == depth["stem_bn"] == max(depth.values())
    whole = above(parts := model.assemble(v2, "avg"), cut(parts, 200))
    head = depths(whole)
    assert head["corrosion/kernel"] == 0
    assert head["top_conv/kernel"] == 1
    assert head["block6g_project_bn/gamma"] == 3
    assert set(head) == {v.path for v in whole.weights}


def test_what_cannot_be_cut_is_refused(network):
    with pytest.raises(ValueError, match="expected 0 to"):
        cut(network, len(network.layers) + 1)
    image = keras.Input((8,))
    twice = keras.layers.Dense(8)
    with pytest.raises(ValueError, match="used 2 times"):
        places(keras.Model(image, twice(twice(image))))
    with pytest.raises(ValueError, match="one input and one output"):
        places(keras.Model(image, [image, twice(image)]))
