"""Who is measured: each peer, the module of its way, the file it runs, and what it needs."""

from dataclasses import dataclass
from typing import Final

__all__ = ["OURS", "PEERS", "Peer"]

_WAYS: Final = "corrosion_edge.benchmarks.peers.ways"


@dataclass(frozen=True, slots=True)
class Peer:
    """One way from picture to verdict.

    ``way`` is ``module:class``; ``file`` the model file in a network's folder; ``rig`` the
    test rig that installs it, empty where the extra ``train`` does; a ``sealed_off`` one runs
    without network.
    """

    name: str
    title: str
    way: str
    file: str
    rig: str = ""
    sealed_off: bool = False


def _peer(name: str, title: str, way: str, file: str, rig: str = "", *, off: bool = False) -> Peer:
    return Peer(name, title, f"{_WAYS}.{way}", file, rig, off)


PEERS: Final = (
    _peer("ours", "corrosion-edge, int8", "ours:Way", "int8.tflite"),
    _peer("litert", "plain LiteRT, int8", "litert:Way", "int8.tflite"),
    # MediaPipe sends figures about its use to its makers.
    _peer("mediapipe", "MediaPipe ImageClassifier, int8", "mediapipe:Way", "int8.tflite",
          "mediapipe", off=True),
    _peer("onnxruntime", "ONNX Runtime, int8", "onnx_runtime:Way", "int8.onnx", "peers"),
    _peer("openvino", "OpenVINO, int8", "open_vino:Way", "int8.tflite", "peers"),
    _peer("litert-float", "plain LiteRT, float", "litert:Way", "float.tflite"),
    _peer("onnxruntime-float", "ONNX Runtime, float", "onnx_runtime:Way", "float.onnx", "peers"),
    _peer("openvino-float", "OpenVINO, float", "open_vino:Way", "float.tflite", "peers"),
    _peer("keras-function", "Keras in tf.function, float", "keras_model:Compiled", "float.keras"),
    _peer("keras", "Keras, float", "keras_model:Way", "float.keras"),
)  # fmt: skip
"""In the order of the table; the first is what the others are compared with."""

OURS: Final = PEERS[0]
