"""What an Edge TPU would run of a new model: predicted, and compiled where the compiler is."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from shlex import quote
from typing import Any, Final

from corrosion_edge.bundle import Bundle
from corrosion_edge.errors import BackendError, BundleError
from corrosion_edge.modelfile.compiled import wrap
from corrosion_edge.progress import say
from corrosion_edge.quantize.edgetpu import text
from corrosion_edge.quantize.edgetpu.check import CheckedOp, Report, check
from corrosion_edge.quantize.edgetpu.compiler import PROGRAM, Compiled, compile_model, find
from corrosion_edge.quantize.edgetpu.score import Score, score

__all__ = ["Aimed", "aim", "beside", "deliver", "next_steps"]

_NAMED: Final = 3  # ops that a refusal names; the table has all


@dataclass(frozen=True, slots=True)
class Aimed:
    """The checker's report on a model, and what the compiler made of it, where it was run.

    ``failure`` says why the compiler made nothing, if it was run and did not. ``wanted`` tells
    whether the model is meant for an Edge TPU.
    """

    report: Report
    wanted: bool = False
    compiled: Compiled | None = None
    score: Score | None = None
    failure: str = ""

    @property
    def predicted(self) -> bool:
        """Whether the verdict is the checker's alone."""
        return self.score is None and not self.failure

    @property
    def broken(self) -> tuple[str, ...]:
        """Why this is no model for an Edge TPU; empty if it is. The compiler's word is the last."""
        if self.failure:
            return (self.failure,)
        if self.score is not None:
            return tuple(self._left())
        return () if self.report.passes() else (self._refusal(),)

    @property
    def refusals(self) -> tuple[str, ...]:
        """Why the model is not delivered: nothing stops one that is not meant for an Edge TPU."""
        return self.broken if self.wanted else ()

    def to_dict(self) -> dict[str, Any]:
        """As plain data: the report, of its ops only those that are not on the TPU, the score."""
        told = text.as_json(self.report, 0)
        told["ops"] = [op for op in told["ops"] if op["runs_on"] != "edgetpu"]
        told["predicted"] = self.predicted
        if self.failure:
            told["edgetpu_compiler"] = {"failure": self.failure}
        elif self.score is not None and self.compiled is not None:
            told["edgetpu_compiler"] = {**asdict(self.compiled.log), **self.score.to_dict()}
        return told

    def summary(self) -> dict[str, Any]:
        """The few figures that a manifest holds."""
        names = "predicted", "edgetpu_ops", "cpu_ops", "unknown_ops", "parameters_bytes"
        told = self.to_dict() | (self.score.to_dict() if self.score else {})
        return {name: told[name] for name in names}

    def lines(self) -> Iterator[str]:
        """For a terminal."""
        yield from text.lines(self.report)
        if self.failure:
            yield self.failure
        if self.score is not None:
            yield from self.score.lines()

    def _left(self) -> Iterator[str]:
        if self.score is not None and (left := self.score.left):
            ops = [self.report.ops[index] for index in left]
            named = ", ".join(f"op {op.index} ({op.op})" for op in ops[:_NAMED])
            more = ", …" if len(ops) > _NAMED else ""
            yield f"{PROGRAM} leaves {len(ops)} of {self.score.total} ops on the CPU: {named}{more}"

    def _refusal(self) -> str:
        report = self.report
        if not report.compiles:
            head = f"{PROGRAM} would refuse the whole file"
        else:
            head = f"{report.cpu_ops} ops would run on the CPU and {report.unknown_ops} may"
        first = [op for op in report.ops if op.maps != "yes"]
        more = "; …" if len(first) > _NAMED else ""
        return f"{head}: {'; '.join(map(_why, first[:_NAMED]))}{more}"


def aim(model: bytes, name: str, *, wanted: bool) -> Aimed:
    """Check a flatbuffer, and if ``wanted`` also compile it where the compiler is on PATH.

    A compiler that fails is told in the result, not raised. BundleError for a damaged ``model``.
    """
    report = check(model, name)
    if not wanted or find() is None:
        return Aimed(report, wanted)
    say(f"Running {PROGRAM}")
    try:
        made = compile_model(model, name)
        return Aimed(report, wanted, made, score(report, model, made.model, made.log))
    except BackendError as error:
        return Aimed(report, wanted, failure=str(error))
    except BundleError as error:
        return Aimed(report, wanted, failure=f"what {PROGRAM} made of {name}: {error}")


def deliver(bundle: Bundle, out: Path, aimed: Aimed) -> None:
    """Write the model file, and beside it the one for the Edge TPU if it was compiled.

    Raises OutputError; BundleError, before anything is written, if what was compiled is not sound.
    """
    provenance = {**bundle.manifest.provenance, "edgetpu": aimed.summary()}
    bundle, made = bundle.with_fields(provenance=provenance), aimed.compiled
    more = wrap(bundle, made.model, out.name, made.log.version or "") if made else None
    bundle.save(out)
    if more is not None:
        more.save(beside(out))


def beside(model: Path) -> Path:
    """Where the compiled model lies, as the compiler names it: ``NAME_edgetpu.tflite``."""
    return model.with_name(f"{model.stem}_edgetpu.tflite")


def next_steps(model: Path) -> str:
    """What to do with a model where the compiler is, and with what that makes."""
    here, made = quote(str(model)), quote(str(beside(model)))
    return (
        f"not compiled: {PROGRAM} is not on PATH, so the Edge TPU's part is a prediction. "
        "On x86-64 Debian with it:\n"
        f"  {PROGRAM} {quote(model.name)}\n"
        f"and with the {beside(model).name} that it writes brought back here:\n"
        f"  corrosion-edge check {here} --compiled {made}  # was the prediction right?\n"
        f"  corrosion-edge bundle compiled {here} {made}  # a model file for the Coral"
    )


def _why(op: CheckedOp) -> str:
    change = f" -> {op.change}" if op.change else ""
    return f"op {op.index} ({op.op}): {op.rule}{change}"
