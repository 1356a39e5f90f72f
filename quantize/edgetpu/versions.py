"""The highest version of each builtin op that the compiler 16.0 can read.

The compiler reads a model with the TFLite of its own time (build 384591198, July 2021). A newer
version of an op makes it refuse the whole file: "Didn't find op for builtin opcode 'CONV_2D'
version '6'" (https://github.com/google-coral/edgetpu/issues/631).

Seen refused: CONV_2D 6 (edgetpu#631), TRANSPOSE_CONV 4 (edgetpu#845), EXP 2 (libedgetpu#71),
FULLY_CONNECTED 12 (tensorflow/tfjs#8461). The rest of the table is TensorFlow 2.9's
``tensorflow/lite/kernels/register.cc`` (2022), so it is never too strict; an op that became newer
between July 2021 and then could be refused although the table has it. Ops not listed have 1.
"""

from collections.abc import Mapping
from typing import Final

__all__ = ["HIGHEST", "highest", "remedy"]

HIGHEST: Final[Mapping[str, int]] = {
    "ADD": 4,
    "ARG_MAX": 3,
    "ARG_MIN": 3,
    "AVERAGE_POOL_2D": 3,
    "BATCH_MATMUL": 4,
    "BATCH_TO_SPACE_ND": 3,
    "BIDIRECTIONAL_SEQUENCE_LSTM": 3,
    "BIDIRECTIONAL_SEQUENCE_RNN": 3,
    "BROADCAST_TO": 3,
    "CAST": 4,
    "CONCATENATION": 3,
    "CONV_2D": 5,
    "DEPTHWISE_CONV_2D": 6,
    "DEPTH_TO_SPACE": 2,
    "DEQUANTIZE": 5,
    "DIV": 2,
    "EMBEDDING_LOOKUP": 3,
    "EQUAL": 3,
    "FAKE_QUANT": 2,
    "FILL": 3,
    "FLOOR_DIV": 2,
    "FULLY_CONNECTED": 9,
    "GATHER": 5,
    "GATHER_ND": 3,
    "GELU": 2,
    "GREATER": 2,
    "GREATER_EQUAL": 2,
    "L2_NORMALIZATION": 2,
    "LEAKY_RELU": 2,
    "LESS": 2,
    "LESS_EQUAL": 2,
    "LOGISTIC": 3,
    "LOG_SOFTMAX": 2,
    "LSTM": 4,
    "MAXIMUM": 4,
    "MAX_POOL_2D": 3,
    "MEAN": 3,
    "MINIMUM": 4,
    "MIRROR_PAD": 2,
    "MUL": 5,
    "NOT_EQUAL": 3,
    "PACK": 3,
    "PAD": 4,
    "PADV2": 4,
    "QUANTIZE": 3,
    "REDUCE_MAX": 3,
    "REDUCE_MIN": 3,
    "REDUCE_PROD": 2,
    "RELU": 3,
    "RELU6": 3,
    "RESIZE_BILINEAR": 4,
    "RESIZE_NEAREST_NEIGHBOR": 4,
    "REVERSE_V2": 3,
    "RNN": 3,
    "RSQRT": 2,
    "SELECT": 2,
    "SLICE": 5,
    "SOFTMAX": 3,
    "SPACE_TO_BATCH_ND": 3,
    "SPACE_TO_DEPTH": 2,
    "SPARSE_TO_DENSE": 3,
    "SPLIT": 4,
    "SPLIT_V": 2,
    "SQUARED_DIFFERENCE": 2,
    "SQUEEZE": 2,
    "STRIDED_SLICE": 6,
    "SUB": 5,
    "SUM": 2,
    "SVDF": 4,
    "TANH": 3,
    "TILE": 3,
    "TOPK_V2": 2,
    "TRANSPOSE": 5,
    "TRANSPOSE_CONV": 3,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": 3,
    "UNIDIRECTIONAL_SEQUENCE_RNN": 3,
    "UNPACK": 4,
    "WHERE": 2,
}
"""Op: highest version; CONV_2D alone is one lower than in that file, see above."""

_INT4 = "it has 4-bit weights: quantize weights to 8 bit"
_REMEDIES: Final[Mapping[tuple[str, int], str]] = {
    ("CONV_2D", 6): "it is a grouped convolution: convolve each group of channels by itself",
    ("CONV_2D", 7): _INT4,
    ("DEPTHWISE_CONV_2D", 7): _INT4,
    ("FULLY_CONNECTED", 10): _INT4,
    ("FULLY_CONNECTED", 12): "it has float activations: quantize to full integer",
    ("TRANSPOSE_CONV", 4): "it has a fused activation: make the activation an op of its own",
}
# What makes the converter write these versions: tensorflow/lite/tools/versioning/op_version.cc.


def highest(op: str) -> int:
    """The highest version of an op that the compiler reads."""
    return HIGHEST.get(op, 1)


def remedy(op: str, version: int) -> str:
    """What to change about an op whose version is too new."""
    return _REMEDIES.get((op, version), "convert with TensorFlow 2.8 or older, or do without it")
