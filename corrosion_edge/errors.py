"""Every error a user can meet, with the exit code it ends a command with.

::

    CorrosionEdgeError            1   the root; catch this to catch them all
    ├── UsageError (ValueError)   2   an option or argument that cannot be
    │   └── MisfitError           2   a picture that does not hold what is judged of it
    ├── DataError (ValueError)    2   a folder that is no data set
    ├── WeightsError (ValueError) 2   weights that are missing or of another network
    ├── ImageError (ValueError)   1   a photo that cannot be read
    │   └── FetchError            1   one that could not be fetched this time
    ├── BundleError (ValueError)  1   a model file that is refused
    │   └── SignatureError        1   its signature is missing, of another key, or wrong
    ├── KeyFileError (ValueError) 2   a key that cannot be used, or that others can read
    ├── OutputError (OSError)     1   a result that cannot be written
    ├── StoreError (OSError)      1   an event store that cannot be opened
    │   ├── NewerStoreError       2   one of a newer version of this program
    │   └── TamperError           1   one that was changed by another hand
    ├── ExtraError (ImportError)  2   a package of an extra that is not installed
    ├── BackendError (RuntimeError) 1 an interpreter or accelerator that fails
    │   └── BackendAway          1   an accelerator that is waited for
    ├── SourceError (OSError)     1   a camera, stream or file that cannot be opened
    │   ├── NoSuchSource          2   what is named can never be one
    │   └── SourceLost            1   one that was open and delivers no more
    └── GateError                 3   a quality gate that was not passed

With 2 it is no use to try again until somebody changes what was asked for or installed: a service
manager is told not to.
"""

__all__ = [
    "BackendAway",
    "BackendError",
    "BundleError",
    "CorrosionEdgeError",
    "DataError",
    "ExtraError",
    "FetchError",
    "GateError",
    "ImageError",
    "KeyFileError",
    "MisfitError",
    "NewerStoreError",
    "NoSuchSource",
    "OutputError",
    "SignatureError",
    "SourceError",
    "SourceLost",
    "StoreError",
    "TamperError",
    "UsageError",
    "WeightsError",
]


class CorrosionEdgeError(Exception):
    """The root: its message is one or two sentences for the user."""

    exit_code = 1


class UsageError(CorrosionEdgeError, ValueError):
    """An option or argument that cannot be."""

    exit_code = 2


class MisfitError(UsageError):
    """A picture that does not hold ``--roi``, or has fewer pixels than ``--tiles``."""


class DataError(CorrosionEdgeError, ValueError):
    """A folder of photos that is no data set: empty, one class only, split missing."""

    exit_code = 2


class WeightsError(CorrosionEdgeError, ValueError):
    """Backbone weights that cannot be had, or that belong to another network."""

    exit_code = 2


class ImageError(CorrosionEdgeError, ValueError):
    """A photo that cannot be read: broken, no image, or too large."""


class FetchError(ImageError):
    """A photo that could not be fetched this time; it may be there the next."""


class BundleError(CorrosionEdgeError, ValueError):
    """A model file that is refused: truncated, altered, or without its manifest."""


class SignatureError(BundleError):
    """A model file whose signature is missing, of another key, or not of this content."""


class KeyFileError(CorrosionEdgeError, ValueError):
    """A key file that cannot be used: not a key, another kind, or readable by others."""

    exit_code = 2


class OutputError(CorrosionEdgeError, OSError):
    """A result that cannot be written: no permission, no folder, no space."""


class StoreError(CorrosionEdgeError, OSError):
    """An event store that cannot be opened: in use, damaged, or of a newer version."""


class NewerStoreError(StoreError):
    """An event store that a newer version of this program wrote."""

    exit_code = 2


class TamperError(StoreError):
    """An event store whose hash chain shows that events or pictures were changed."""


class ExtraError(CorrosionEdgeError, ImportError):
    """A package that one of the extras installs is missing."""

    exit_code = 2


class BackendError(CorrosionEdgeError, RuntimeError):
    """An interpreter or accelerator that cannot load or run the model."""


class BackendAway(BackendError):  # noqa: N818 - the state's name: the accelerator is away
    """An accelerator that failed and is tried again: no verdict is to be had meanwhile."""


class SourceError(CorrosionEdgeError, OSError):
    """A camera, stream, video or folder that cannot be opened."""


class NoSuchSource(SourceError):  # noqa: N818 - what is the matter: there is no such source
    """What is named can never be a live source on this machine: to wait for it is no use."""

    exit_code = 2


class SourceLost(SourceError):  # noqa: N818 - the state's name: the camera is lost
    """A source that was open and delivers no more frames."""


class GateError(CorrosionEdgeError):
    """A quality gate that was not passed: what it guards was not written, or says so itself."""

    exit_code = 3
