"""Each rule, on a model of one op that keeps it and on one that breaks it."""

import numpy as np
import pytest
from edgetpu_models import Net, one_op

from corrosion_edge.errors import BundleError
from corrosion_edge.quantize.edgetpu.check import check
from corrosion_edge.quantize.edgetpu.graph import read
from corrosion_edge.quantize.edgetpu.rules import RULES, judge
from corrosion_edge.quantize.edgetpu.versions import HIGHEST, highest

PICTURE = (1, 8, 8, 4)


def _conv(**options):
    return one_op(
        options.pop("name", "CONV_2D"),
        (options.pop("data", PICTURE), PICTURE),
        kind=options.pop("kind", "INT8"),
        version=options.pop("version", 3),
        parameters=options.pop(
            "parameters", lambda net: [net.weights(4, 3, 3, 4), net.numbers(0, 0, 0, 0)]
        ),
        options="Conv2DOptions",
        **{"dilationWFactor": 1, "dilationHFactor": 1, **options},
    )


def _axes(name, shapes, *axes):
    return one_op(name, shapes, parameters=lambda net: [net.numbers(*axes)])


def _dense(out, version=4, **options):
    return one_op(
        "FULLY_CONNECTED",
        ((1, 16), out),
        version=version,
        parameters=lambda net: [net.weights(10, 16), net.numbers(*[0] * 10)],
        options="FullyConnectedOptions",
        **options,
    )


def _concat(*constants, zero_point=0, fused=0):
    net = Net()
    data = net.tensor(PICTURE)
    held = [net.tensor(PICTURE, data=np.full(PICTURE, c), zero_point=zero_point) for c in constants]
    out = net.tensor((1, 8, 8, 8))
    net.op("CONCATENATION", [data, *held], [out], options="ConcatenationOptions",
           axis=3, fusedActivationFunction=fused)  # fmt: skip
    return net.pack([data], [out])


def _pool(fused):
    return one_op(
        "MAX_POOL_2D", (PICTURE, (1, 4, 4, 4)), options="Pool2DOptions",
        fusedActivationFunction=fused,
    )  # fmt: skip


def _resize(before, after, name="RESIZE_BILINEAR", channels=8, **options):
    shapes = ((1, *before, channels), (1, *after, channels))
    kind = "ResizeBilinearOptions" if name == "RESIZE_BILINEAR" else "ResizeNearestNeighborOptions"
    return one_op(
        name, shapes, parameters=lambda net: [net.numbers(*after)], options=kind, **options
    )


def _slice(steps=(1, 1, 1, 1), **options):
    return one_op(
        "STRIDED_SLICE",
        (PICTURE, PICTURE),
        parameters=lambda net: [
            net.numbers(0, 0, 0, 0), net.numbers(1, 8, 8, 4), net.numbers(*steps)
        ],
        options="StridedSliceOptions",
        **options,
    )  # fmt: skip


def _pad(*amounts, shapes=(PICTURE, PICTURE)):
    def pads(net):
        return [net.tensor((len(amounts) // 2, 2), "INT32", amounts)]

    return one_op("PAD", shapes, parameters=pads)


def _pack(axis, rank=4):
    net = Net()
    data = [net.tensor((4,) * (rank - 1)) for _ in range(2)]
    shape = [4] * (rank - 1)
    shape.insert(axis, 2)
    out = net.tensor((1,) * (axis == 1) + tuple(shape) if axis == 1 else tuple(shape))
    net.op("PACK", data, [out], options="PackOptions", valuesCount=2, axis=axis)
    return net.pack(data, [out])


def _split(axis):
    net = Net()
    data, place = net.tensor(PICTURE), net.numbers(axis)
    out = [net.tensor((1, 8, 8, 2)) for _ in range(2)]
    net.op("SPLIT", [place, data], out, options="SplitOptions", numSplits=2)
    return net.pack([data], out)


def _transposed(kernel, stride=2, version=3):
    return one_op(
        "TRANSPOSE_CONV",
        (PICTURE, (1, 16, 16, 4)),
        before=2,
        version=version,
        parameters=lambda net: [net.numbers(1, 16, 16, 4), net.weights(4, kernel, kernel, 4)],
        options="TransposeConvOptions",
        strideW=stride,
        strideH=stride,
    )


def _transpose(*order):
    return one_op("TRANSPOSE", (PICTURE, PICTURE), parameters=lambda net: [net.numbers(*order)])


def _reshape(before, after):
    return one_op("RESHAPE", (before, after), parameters=lambda net: [net.numbers(*after)])


def _prelu(*alpha):
    return one_op("PRELU", (PICTURE, PICTURE), parameters=lambda net: [net.weights(*alpha)])


YES = {
    "convolution, int8": _conv(),
    "convolution, uint8": _conv(
        kind="UINT8", version=1, parameters=lambda net: [net.weights(4, 3, 3, 4, kind="UINT8")]
    ),
    "convolution, version 5": _conv(version=5),
    "dense": _dense((1, 10)),
    "dense, four dimensions": _dense((1, 1, 1, 10)),
    "pooling": _pool(0),
    "concatenation with zeros": _concat(0),
    "concatenation with the zero point": _concat(-3, zero_point=-3),
    "mean over x and y": _axes("MEAN", (PICTURE, (1, 4)), 1, 2),
    "mean over depth": _axes("MEAN", (PICTURE, (1, 8, 8)), 3),
    "mean over 64x128": _axes("MEAN", ((1, 64, 128, 3), (1, 3)), 1, 2),
    "sum over y": _axes("SUM", (PICTURE, (1, 8, 4)), 1),
    "maximum over depth, from the end": _axes("REDUCE_MAX", (PICTURE, (1, 8, 8)), -1),
    "padding x and y": _pad(0, 0, 1, 1, 1, 1, 0, 0),
    "bilinear, doubled": _resize((6, 6), (12, 12)),
    "bilinear to the same size": _resize((33, 33), (33, 33), alignCorners=True),
    "nearest, doubled": _resize((20, 20), (40, 40), "RESIZE_NEAREST_NEIGHBOR"),
    "slice": _slice(),
    "softmax": one_op("SOFTMAX", ((1, 1001), (1, 1001))),
    "squeeze leading ones": one_op("SQUEEZE", ((1, 1, 1, 9), (1, 9))),
    "squeeze before a picture": one_op("SQUEEZE", ((1, 1, 5, 10), (5, 10))),
    "split along depth": _split(3),
    "transposed convolution": _transposed(3),
    "transpose x and y": _transpose(0, 2, 1, 3),
    "reshape": _reshape((1, 8, 8, 4), (1, 64, 4)),
    "prelu": _prelu(1, 1, 4),
    "quantize": one_op("QUANTIZE", (PICTURE, PICTURE)),
    "compiled already": one_op("CUSTOM", (PICTURE, PICTURE), custom="edgetpu-custom-op"),
    **{
        name: one_op(name, (PICTURE, PICTURE))
        for name in ("RELU", "RELU6", "RELU_N1_TO_1", "LOGISTIC", "TANH", "RSQRT", "SPACE_TO_DEPTH",
                     "L2_NORMALIZATION", "ADD", "MUL", "SUB", "MAXIMUM", "MINIMUM",
                     "SQUARED_DIFFERENCE")
    },
}  # fmt: skip

NO = {
    "dilation": (_conv(dilationWFactor=2), "dilation"),
    "too new": (_conv(version=6), "version 6"),
    "float": (_conv(kind="FLOAT32"), "FLOAT32"),
    "16 bit": (_conv(kind="INT16"), "INT16"),
    "float weights": (
        _conv(parameters=lambda net: [net.weights(4, 3, 3, 4, kind="FLOAT32")]), "FLOAT32"
    ),
    "weights from elsewhere": (
        _conv(parameters=lambda net: [net.tensor((4, 3, 3, 4))]), "no constant"
    ),
    "batch": (_conv(data=(2, 8, 8, 4)), "3 inner dimensions"),
    "no size": (_conv(data=(1, -1, 8, 4)), "no fixed size"),
    "dense, shuffled": (_dense((1, 10), weightsFormat=1), "shuffled"),
    "dense for two": (_dense((2, 10)), "one-dimensional"),
    "pooling with an activation": (_pool(1), "fused"),
    "concatenation with an activation": (_concat(0, fused=1), "fused"),
    "concatenation with ones": (_concat(1), "zeros"),
    "concatenation with two constants": (_concat(0, 0), "zeros"),
    "mean over the batch": (_axes("MEAN", (PICTURE, (8, 8, 4)), 0), "batch"),
    "mean over depth": (_axes("MEAN", ((1, 8, 8, 6), (1, 8, 8)), 3), "multiple of 4"),
    "mean over 256x128": (_axes("MEAN", ((1, 256, 128, 3), (1, 3)), 1, 2), "256x128"),
    "sum over the batch": (_axes("SUM", (PICTURE, (8, 8, 4)), -4), "batch"),
    "padding the batch": (_pad(1, 0, 0, 0, 0, 0, 0, 0), "batch"),
    "bilinear from one pixel": (_resize((1, 1), (33, 33)), "one pixel"),
    "bilinear to 513x513": (_resize((33, 33), (513, 513)), "512x512"),
    "slice in steps": (_slice((1, 2, 2, 1)), "strides"),
    "slice, ellipsis": (_slice(ellipsisMask=1), "mask"),
    "slice, new axis": (_slice(newAxisMask=2), "mask"),
    "softmax, large": (one_op("SOFTMAX", ((1, 16001), (1, 16001))), "16,000"),
    "squeeze inside": (one_op("SQUEEZE", ((1, 5, 1, 10), (1, 5, 10))), "squeezes"),
    "split the batch": (_split(0), "batch"),
    "transposed convolution, too new": (_transposed(3, version=4), "version 4"),
    "prelu per position": (_prelu(8, 8, 4), "alpha"),
    "custom": (
        one_op("CUSTOM", (PICTURE, PICTURE), custom="TFLite_Detection_PostProcess"), "custom"
    ),
    "exp, too new": (one_op("EXP", (PICTURE, PICTURE), version=2), "version 2"),
    **{
        name: (one_op(name, (PICTURE, PICTURE)), "list")
        for name in ("HARD_SWISH", "LEAKY_RELU", "DEQUANTIZE", "GATHER", "EXP", "GELU", "DIV",
                     "ABS", "ARG_MAX", "PADV2", "CAST", "SHAPE", "BATCH_MATMUL")
    },
}  # fmt: skip

UNKNOWN = {
    "softmax per pixel": one_op("SOFTMAX", (PICTURE, PICTURE)),
    "mean over 128x128": _axes("MEAN", ((1, 128, 128, 3), (1, 3)), 1, 2),
    "mean over the first of three": _axes("MEAN", ((8, 8, 4), (8, 4)), 0),
    "bilinear to 256x256": _resize((128, 128), (256, 256)),
    "bilinear by 4": _resize((8, 8), (32, 32)),
    "bilinear, corners aligned": _resize((8, 8), (16, 16), alignCorners=True),
    "nearest to 256x256": _resize((128, 128), (256, 256), "RESIZE_NEAREST_NEIGHBOR"),
    "transpose of depth": _transpose(0, 3, 1, 2),
    "reshape of a detector's head": _reshape((1, 48, 48, 255), (1, 2304, 3, 85)),
    "transposed convolution, no overlap": _transposed(2),
    "grouped convolution": _conv(parameters=lambda net: [net.weights(4, 3, 3, 2)]),
}


@pytest.mark.parametrize("name", YES)
def test_maps(name):
    (op,) = check(YES[name]).ops
    assert (op.maps, op.runs_on, op.change) == ("yes", "edgetpu", None)
    assert op.source.startswith("https://")


@pytest.mark.parametrize("name", NO)
def test_does_not_map(name):
    model, word = NO[name]
    (op,) = check(model).ops
    assert (op.maps, op.runs_on) == ("no", "cpu")
    assert word in op.rule
    assert op.change
    assert op.source.startswith("https://")


@pytest.mark.parametrize("name", UNKNOWN)
def test_nobody_knows(name):
    report = check(UNKNOWN[name])
    (op,) = report.ops
    assert (op.maps, op.runs_on) == ("unknown", "unknown")
    assert op.change
    assert not report.passes()
    assert report.passes(allow_cpu=1)


def test_a_sure_objection_beats_an_unsure_one():
    (op,) = check(_resize((8, 8), (32, 32), channels=8, version=5)).ops
    assert op.maps == "no"
    (op,) = check(one_op("SOFTMAX", (PICTURE, PICTURE), kind="FLOAT32")).ops
    assert (op.maps, "FLOAT32" in op.rule) == ("no", True)


@pytest.mark.parametrize("axis", [0, 2])
def test_pack(axis):
    (op,) = check(_pack(axis, rank=3)).ops
    assert op.maps == ("unknown" if axis == 0 else "yes")


def test_pack_along_a_batch_of_four_dimensions():
    net = Net()
    data = [net.tensor((1, 4, 4)) for _ in range(2)]
    out = net.tensor((2, 1, 4, 4))
    net.op("PACK", data, [out], options="PackOptions", valuesCount=2, axis=0)
    (op,) = check(net.pack(data, [out])).ops
    assert op.maps == "no"


NEEDY = [name for name, rule in RULES.items() if rule.limits or rule.weights]


@pytest.mark.parametrize("name", NEEDY)
def test_an_op_without_inputs_and_outputs_is_refused_in_one_sentence(name):
    net = Net()
    data = net.tensor(PICTURE)
    net.op(name, [], [])
    model = net.pack([data], [data])
    if name in {"AVERAGE_POOL_2D", "MAX_POOL_2D", "CONCATENATION"}:
        assert check(model).ops[0].maps == "yes"  # nothing is asked of what they read
        return
    with pytest.raises(BundleError, match=rf"^x.tflite: op 0 \({name}\) lacks"):
        check(model, "x.tflite")


def test_every_version_known_is_of_an_op_that_exists():
    from ai_edge_litert import schema_py_generated as schema

    assert all(hasattr(schema.BuiltinOperator, name) for name in (*HIGHEST, *RULES))
    assert (highest("CONV_2D"), highest("EXP"), highest("NO_SUCH_OP")) == (5, 1, 1)


def test_the_versions_seen_refused_are_refused_and_the_ones_before_are_not():
    seen = {"CONV_2D": 6, "TRANSPOSE_CONV": 4, "EXP": 2, "FULLY_CONNECTED": 12}
    for name, version in seen.items():
        (op,) = read(one_op(name, (PICTURE, PICTURE), version=version)).ops
        assert judge(op).refused
        assert highest(name) < version


def test_a_version_that_is_too_new_says_what_makes_it_so():
    (op,) = check(_conv(version=6)).ops
    assert op.change == "it is a grouped convolution: convolve each group of channels by itself"
    (op,) = check(_dense((1, 10), version=12)).ops
    assert "full integer" in (op.change or "")
