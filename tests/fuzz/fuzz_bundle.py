"""Feed hostile model files to their reader, and hostile networks to the runtime behind it.

    python tests/fuzz/fuzz_bundle.py reader --count 100000
    python tests/fuzz/fuzz_bundle.py network --count 5000 [--unchecked] [--runtime MODULE]
    python tests/fuzz/fuzz_bundle.py edgetpu --count 12000

Every input runs in a child process with a limit on memory and on time. ``reader`` demands that a
file is read or refused with BundleError or BackendError and that nothing is written;
``network`` that the process survives what the check lets through to the interpreter. With
``--unchecked`` the interpreter gets everything, which shows what the check is worth. ``edgetpu``
demands that a truncated or overwritten network is checked for the Edge TPU, or refused with
BundleError. Prints counts and the numbers of the inputs that failed (``--first N --count 1``
repeats one); exit code 1 if there are any.
"""

import argparse
import functools
import importlib
import sys
from pathlib import Path
from random import Random

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from child import Outcome, run
from hostile_files import base, hostile

from corrosion_edge.bundle import Bundle
from corrosion_edge.device.backends.fake import FakeBackend
from corrosion_edge.device.backends.litert import RUNTIMES
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.errors import BackendError, BundleError
from corrosion_edge.modelfile.container import Container
from corrosion_edge.modelfile.difference import differences
from corrosion_edge.modelfile.summary import Opened, facts, lines
from corrosion_edge.network.sound import require_sound

__all__ = ["MEMORY", "edgetpu", "fuzz_edgetpu", "fuzz_network", "fuzz_reader", "network", "reader"]

MEMORY = 2 * 2**30
"""Address space of a child, in bytes; Python, NumPy and Pillow alone take about 0.5 GiB of it."""

_wrote: list[str] = []


def reader(seed: int) -> str:
    """Read one hostile file by all the ways there are; how it ended."""
    kind, content = hostile(Random(seed))
    _wrote.clear()
    try:
        _read(content)
        ended = "read"
    except (BundleError, BackendError):
        ended = "refused"
    except Exception as error:
        ended = f"ESCAPED {type(error).__name__}"
    return f"{kind}: {'WROTE ' + _wrote[0] if _wrote else ended}"


def _read(content: bytes) -> None:
    file = Container.from_bytes(content)
    bundle = Bundle.from_container(file)
    opened = Opened(Path("x"), content, file, bundle)
    "\n".join(lines(facts(opened))).encode()
    right = base()
    one = Opened(Path("y"), right.to_bytes(), Container.from_bytes(right.to_bytes()), right)
    differences(one, opened)
    bundle.to_bytes()
    with Classifier(bundle, FakeBackend(bundle.manifest.preprocessing)) as classifier:
        classifier.check_golden()


def _watch_writes(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook: opening for writing, and whatever else changes the file system."""
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        _wrote.append(str(arguments[0]))
    if event in ("os.mkdir", "os.rename", "os.remove", "os.link", "os.symlink", "os.chmod"):
        _wrote.append(event)


def network(seed: int, *, checked: bool, runtime: str) -> str:
    """Run one hostile network; how it ended, if the process is still there to say so."""
    from mutate_network import mutate

    rng = Random(seed)
    _, model = rng.choice(_corpus())
    _, changed = mutate(model, rng)
    if checked:
        try:
            require_sound(changed)
        except BundleError:
            return "refused by the check"
    return _interpreted(changed, runtime)


def edgetpu(seed: int) -> str:
    """Check one damaged network for the Edge TPU; how it ended."""
    from corrosion_edge.quantize.edgetpu.check import check

    rng = Random(seed)
    _, model = rng.choice(_corpus())
    try:
        check(_damaged(model, rng))
    except BundleError:
        return "refused"
    except Exception as error:
        return f"ESCAPED {type(error).__name__}"
    return "read"


def _damaged(content: bytes, rng: Random) -> bytes:
    """Cut off somewhere, or up to eight words of it overwritten."""
    if rng.random() < 0.25:
        return content[: rng.randrange(len(content))]
    damaged = bytearray(content)
    for _ in range(rng.randint(1, 8)):
        place = rng.randrange(0, len(damaged) - 4, 4)
        damaged[place : place + 4] = rng.choice([rng.randbytes(4), b"\0\0\0\0", b"\xff" * 4])
    return bytes(damaged)


@functools.cache
def _corpus() -> list[tuple[str, bytes]]:
    from networks import corpus

    return corpus()


def _interpreted(model: bytes, runtime: str) -> str:
    from corrosion_edge.quiet import quiet

    try:
        with quiet():
            module = importlib.import_module(runtime)
            interpreter = module.Interpreter(model_content=model, num_threads=1)
            interpreter.allocate_tensors()
            for given in interpreter.get_input_details():
                pixels = np.full(given["shape"], 3, given["dtype"])
                interpreter.set_tensor(given["index"], pixels)
            interpreter.invoke()
            for made in interpreter.get_output_details():
                interpreter.get_tensor(made["index"])
    except (RuntimeError, ValueError, AttributeError, MemoryError):
        return "refused by the runtime"
    return "ran"


def fuzz_reader(first: int, count: int) -> Outcome:
    """Hostile files ``first`` to ``first + count``."""
    sys.addaudithook(_watch_writes)
    return run(reader, range(first, first + count), memory=MEMORY, seconds=20)


def fuzz_network(first: int, count: int, *, checked: bool, runtime: str) -> Outcome:
    """Hostile networks ``first`` to ``first + count``."""
    _corpus()  # once, before the children
    work = functools.partial(network, checked=checked, runtime=runtime)
    return run(work, range(first, first + count), memory=4 * MEMORY, seconds=20)


def fuzz_edgetpu(first: int, count: int) -> Outcome:
    """Damaged networks ``first`` to ``first + count``."""
    _corpus()
    return run(edgetpu, range(first, first + count), memory=4 * MEMORY, seconds=20)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["reader", "network", "edgetpu"])
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--unchecked", action="store_true")
    parser.add_argument("--runtime", default=RUNTIMES[0][0], metavar="MODULE")
    parser.add_argument("--json", action="store_true", help="print counts as JSON")
    given = parser.parse_args()
    if given.what == "reader":
        outcome = fuzz_reader(given.first, given.count)
    elif given.what == "edgetpu":
        outcome = fuzz_edgetpu(given.first, given.count)
    else:
        checked = not given.unchecked
        outcome = fuzz_network(given.first, given.count, checked=checked, runtime=given.runtime)
    if given.json:
        print(outcome.to_json())
        return 0
    for ended, count in sorted(outcome.counts.items(), key=lambda item: -item[1]):
        print(f"{count:>8} {ended}")
    print(f"{sum(outcome.counts.values()):>8} in all; fatal: {outcome.fatal[:30]}")
    return int(bool(outcome.fatal) or any("ESCAPED" in e or "WROTE" in e for e in outcome.counts))


if __name__ == "__main__":
    sys.exit(main())
