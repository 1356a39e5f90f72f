"""Raw outputs of a network, of integers and of real numbers."""

import numpy as np
import pytest

from corrosion_edge.device.backends import Quantized, Real
from corrosion_edge.device.classifier import decode
from corrosion_edge.errors import BackendError


def test_integers_are_widened_before_the_zero_point_is_taken_off():
    output = Quantized(np.array([0, 255], np.uint8), 0.5, 200)
    assert output.real.tolist() == [-100, 27.5]
    assert output.steps.tolist() == [0, 255]


def test_real_numbers_are_as_they_are_and_have_steps_of_1_256():
    output = Real(np.array([[0.25, 1e-3, -1.0, 3e38]], np.float32))
    assert output.real.tolist() == output.raw.tolist()
    assert output.steps.tolist() == [[64, 0, -256, 2**31 - 1]]
    scores = Real(np.array([[0.1, 0.9]], np.float32))
    assert decode({"scores": scores}, 0.5).score == pytest.approx(0.9, abs=1e-7)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_is_no_answer(value):
    with pytest.raises(BackendError, match="no finite number"):
        Real(np.array([value], np.float32))


def test_of_other_types_neither_is_made():
    with pytest.raises(ValueError, match="expected float32"):
        Real(np.zeros(2))
    with pytest.raises(ValueError, match="expected integers"):
        Quantized(np.zeros(2, np.float32), 1, 0)
