"""The library through which a runtime reaches an accelerator."""

import ctypes
import re
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from corrosion_edge.errors import BackendError, UsageError
from corrosion_edge.quiet import quiet

__all__ = ["LIBRARY", "Delegate"]

LIBRARY: Final = "libedgetpu.so.1"
"""The name of Google's, which the loader searches for."""

# https://coral.ai/docs/edgetpu/tflite-python/ and edgetpu.h: usb, usb:N, pci, pci:N, :N
_DEVICE: Final = re.compile(r"(usb|pci)?(:\d{1,3})?")
_RUNTIME: Final = re.compile(r"RuntimeVersion\((\d+)\)")


@dataclass(frozen=True, slots=True)
class Delegate:
    """A ``library``, by name or path, and the ``device`` to ask it for, empty for the first.

    Raises UsageError for a device that cannot be.
    """

    library: str = LIBRARY
    device: str = ""

    def __post_init__(self) -> None:
        if not self.library:
            raise UsageError("--delegate: expected a library, got nothing")
        if not _DEVICE.fullmatch(self.device):
            raise UsageError(
                f"--accelerator-device: expected usb, pci, usb:0, pci:0 or :0, got {self.device!r}"
            )

    def __str__(self) -> str:
        own = "" if self.library == LIBRARY else f", through {Path(self.library).name}"
        return f"Edge TPU{f' {self.device}' if self.device else ''}{own}"

    def load(self, runtime: ModuleType) -> Any:
        """The runtime's own delegate object, to be given to an interpreter.

        BackendError where the library is missing, is none, or finds no device. It may hang, or
        end the process: try it in another one before (see ``Probe``).
        """
        with quiet():
            try:
                self._require_symbols()  # half-made delegates complain when they are collected
                return runtime.load_delegate(self.library, self._options)
            except OSError as error:
                failed = f"{self.library} cannot be loaded ({error}); {_INSTALL}"
            except AttributeError as error:
                failed = f"{self.library} is no TFLite delegate ({error})"
            except ValueError as error:
                failed = self._not_made(str(error))
        raise BackendError(failed)

    def version(self) -> str:
        """The number of the library's runtime, after it was loaded; '' where it does not tell."""
        with quiet():
            try:
                ask = ctypes.CDLL(self.library).edgetpu_version
            except (OSError, AttributeError):
                return ""
            ask.restype = ctypes.c_char_p
            told = _RUNTIME.search((ask() or b"").decode(errors="replace"))
        return told[1] if told else ""

    def _require_symbols(self) -> None:
        library = ctypes.PyDLL(self.library)
        for name in ("tflite_plugin_create_delegate", "tflite_plugin_destroy_delegate"):
            getattr(library, name)

    @property
    def _options(self) -> dict[str, str]:
        return {"device": self.device} if self.device else {}

    def _not_made(self, said: str) -> str:
        """The runtime says: Failed to load delegate from LIBRARY, and then the library's words."""
        words = said.partition("\n")[2].strip()
        where = f" {self.device}" if self.device else ""
        own = f", and says: {words}" if words else ""
        return (
            f"{self.library} found no Edge TPU{where}{own}; is it plugged in, and may this user "
            "use it (group plugdev for USB, apex for PCIe)?"
        )


_INSTALL: Final = (
    "install the Edge TPU runtime, libedgetpu1-std, or name the library with --delegate"
)
