"""What the child process does: everything that could hang or crash, once."""

from corrosion_edge.device.accelerator.delegate import Delegate

__all__ = ["tried"]


def tried(delegate: Delegate, model: bytes) -> str:
    """Load the delegate, and run ``model`` on zeros where it is not empty; the runtime's version.

    BackendError says what failed, ExtraError that there is no runtime.
    """
    import numpy as np

    from corrosion_edge.device.backends.interpreting import runtime_errors
    from corrosion_edge.device.backends.litert import find_runtime
    from corrosion_edge.network.sound import require_sound
    from corrosion_edge.quiet import quiet

    runtime, version = find_runtime()
    if model:
        require_sound(model)
    loaded = delegate.load(runtime)
    if not model:
        return version
    with runtime_errors(f"{delegate} does not run the network"), quiet():
        interpreter = runtime.Interpreter(model_content=model, experimental_delegates=[loaded])
        interpreter.allocate_tensors()
        for details in interpreter.get_input_details():
            interpreter.set_tensor(details["index"], np.zeros(details["shape"], details["dtype"]))
        interpreter.invoke()
    return version
