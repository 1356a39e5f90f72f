import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

from corrosion_edge import image
from corrosion_edge.benchmarks.peers.networks import known, untrained
from corrosion_edge.errors import UsageError
from corrosion_edge.render import surface

SIZE = 64


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    spec = image.Preprocessing(SIZE, SIZE)
    return np.stack([image.prepare(surface("steel", rust=0.1 * i, seed=i, size=(96, 96)), spec)
                     for i in range(6)])  # fmt: skip


@pytest.mark.parametrize("name", ["tiny", "mobilenetv2"])
def test_an_untrained_network_tells_pictures_apart(name, pictures):
    network = untrained(name, pictures)
    scores = np.array([network(p[None].astype(np.float32))["scores"] for p in pictures])[:, 0]
    assert scores.sum(axis=1) == pytest.approx(1, abs=1e-5)
    log_odds = np.log(scores[:, 1] / scores[:, 0])
    assert log_odds.std() == pytest.approx(2, rel=0.05)
    assert log_odds.mean() == pytest.approx(0, abs=0.05)


def test_an_unknown_one_is_refused(pictures):
    with pytest.raises(UsageError, match=r"--network: expected default or one of .* got alexnet"):
        untrained("alexnet", pictures)


def test_all_of_the_papers_networks_are_known():
    assert {"efficientnetv2-b0", "efficientnetv2-l", "densenet169", "mobilenetv2"} <= set(known())
