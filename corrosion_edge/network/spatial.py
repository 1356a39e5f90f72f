"""Shapes of the operators that move a window over a picture, and of the fully connected one.

The formulas are TensorFlow Lite's ``ComputeOutSize`` (tensorflow/lite/kernels/padding.h); the
numbers of the option fields are the schema's.
"""

from math import prod

from corrosion_edge.network.call import Call, Shape, Work

__all__ = ["convolution", "depthwise", "fully_connected", "pool"]

_SAME, _VALID = 0, 1
_ACTIVATIONS = range(4)  # none, RELU, RELU_N1_TO_1, RELU6


def convolution(call: Call) -> Work:
    """CONV_2D: input [n, h, w, c], filter [o, kh, kw, c / groups], bias [o]."""
    _, _, _, channels = call.shape(0, 4)
    out, kh, kw, depth = call.shape(1, 4)
    call.require(channels % depth == 0 and out % (channels // depth) == 0, "groups do not fit")
    return _window(call, (kh, kw), out, depth, options=(1, 2, 3, 4, 5))


def depthwise(call: Call) -> Work:
    """DEPTHWISE_CONV_2D: input [n, h, w, c], filter [1, kh, kw, c * multiplier]."""
    _, _, _, channels = call.shape(0, 4)
    one, kh, kw, out = call.shape(1, 4)
    multiplier = call.positive(3)
    call.require(one == 1 and out == channels * multiplier, "its filter does not fit")
    return _window(call, (kh, kw), out, 1, options=(1, 2, 4, 5, 6))


def pool(call: Call) -> Work:
    """AVERAGE_POOL_2D and MAX_POOL_2D."""
    n, height, width, channels = call.shape(0, 4)
    kw, kh = call.positive(3), call.positive(4)
    call.require(call.option(5, code="b") in _ACTIVATIONS, "its activation is not known")
    h = _size(call, height, kh, call.positive(2), 1)
    w = _size(call, width, kw, call.positive(1), 1)
    return Work([(n, h, w, channels)], n * h * w * channels * kh * kw)


def fully_connected(call: Call) -> Work:
    """FULLY_CONNECTED: input [..., i], filter [o, i], bias [o]."""
    out, depth = call.shape(1, 2)
    call.require(call.option(1, code="b") == 0, "its weights are stored in another order")
    call.require(call.option(0, code="b") in _ACTIVATIONS, "its activation is not known")
    _check_bias(call, out)
    rows = prod(call.first) // depth
    call.require(len(call.first) >= 1 and rows * depth == prod(call.first), "sizes do not fit")
    shape: Shape = (rows, out)
    if call.option(2, code="B"):
        call.require(call.first[-1] == depth, "sizes do not fit")
        shape = (*call.first[:-1], out)
    return Work([shape], rows * out * depth, 4 * rows * (out + depth))


def _window(
    call: Call, kernel: tuple[int, int], out: int, depth: int, *, options: tuple[int, ...]
) -> Work:
    """``options`` are the fields of stride (width, height), activation, dilation (same order)."""
    n, height, width, _ = call.first
    across, down, activation, dilate_w, dilate_h = options
    call.require(call.option(activation, code="b") in _ACTIVATIONS, "its activation is not known")
    _check_bias(call, out)
    h = _size(call, height, kernel[0], call.positive(down), call.positive(dilate_h, 1))
    w = _size(call, width, kernel[1], call.positive(across), call.positive(dilate_w, 1))
    patches = n * h * w * prod(kernel) * depth  # laid out one beside the other by some kernels
    return Work([(n, h, w, out)], patches * out, 4 * patches)


def _check_bias(call: Call, out: int) -> None:
    if len(call.inputs) > 2 and call.inputs[2] is not None:
        call.require(call.inputs[2].shape == (out,), "its bias does not fit")


def _size(call: Call, size: int, kernel: int, stride: int, dilation: int) -> int:
    padding = call.option(0, code="b")
    call.require(padding in (_SAME, _VALID), "its padding is not known")
    if padding == _SAME:
        return -(-size // stride)
    found = (size + stride - (kernel - 1) * dilation - 1) // stride
    call.require(found >= 1, "its window is larger than the picture")
    return found
