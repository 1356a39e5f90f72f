"""``make demo``: the main job, end to end, by the program's own commands; ends with one page.

Without --data it renders its pictures and trains a small network from random weights; with
--data and --weights it trains V2-B0 on those photos.
"""

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from corrosion_edge.bundle import DEFAULT_MODEL
from corrosion_edge.errors import GateError
from corrosion_edge.image import read
from corrosion_edge.output import make_folder, write
from corrosion_edge.render import clip
from corrosion_edge.report import Figure, Page, Section, Table, Text, png_of, render

PROGRAM = Path(sys.executable).with_name("corrosion-edge")
FRAMES = 60
SMALL = ["--recipe", "scratch", "--backbone", "tiny", "--weights", "none", "--image-size", "96"]


@dataclass
class Steps:
    """Runs the commands one after the other and remembers them with their seconds."""

    done: list[tuple[str, str]] = field(default_factory=list)

    def run(self, *words: object, may_be_void: bool = False) -> str:
        """Run one command; its standard output. Ends the demo if the command fails.

        A measurement ``may_be_void``: it says so itself, on its page too.
        """
        command = [str(word) for word in words]
        print("\n$ corrosion-edge", *command, flush=True)
        start = time.monotonic()
        ran = subprocess.run([PROGRAM, *command], stdout=subprocess.PIPE, text=True, check=False)
        self.done.append((f"corrosion-edge {' '.join(command)}", f"{time.monotonic() - start:.1f}"))
        shown = ran.stdout if len(ran.stdout) < 4000 else ran.stdout[:300] + "…\n"
        print(shown, end="", flush=True)
        if ran.returncode and not (may_be_void and ran.returncode == GateError.exit_code):
            sys.exit(f"The demo ends here: that command's exit code is {ran.returncode}.")
        return ran.stdout


def main() -> None:
    """Parse the options, run the steps, write the page, print its path."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("demo-out"))
    parser.add_argument("--data", type=Path, help="folder of labelled photos")
    parser.add_argument("--weights", type=Path, help="ImageNet weights of V2-B0, .npz")
    options = parser.parse_args()
    if (options.data is None) != (options.weights is None):
        parser.error("DATA and WEIGHTS go together: name both, or neither")
    started = time.monotonic()
    out = make_folder(options.out / time.strftime("%Y%m%d-%H%M%S"))
    steps = Steps()
    results = measure(steps, out, options.data, options.weights)
    page = out / "report.html"
    write(page, render(report(results, steps, out)))
    print(f"\nDone in {time.monotonic() - started:.0f} s. The report: {page.resolve()}")


def measure(steps: Steps, out: Path, data: Path | None, weights: Path | None) -> dict[str, Any]:
    """The eight steps; what they measured."""
    run, model, latency = out / "run", out / "model.tflite", out / "benchmark.json"
    recipe: list[object] = ["--weights", weights] if weights else [*SMALL]
    if data is None:
        data = out / "pictures"
        steps.run("render", "--out", data, "--per-class", 300, "--size", 144, 108)
    steps.run("train", data, "--out", run, *recipe)
    steps.run("quantize", run, "--data", data, "--out", model)
    evaluation = json.loads(steps.run("evaluate", model, data, "--json"))
    steps.run("benchmark", model, DEFAULT_MODEL, "--threads", 1, "--json", latency,
              "--html", out / "benchmark.html", may_be_void=True)  # fmt: skip
    own, default = (watch(steps, *words) for words in (["--model", model], []))
    heat_maps(steps, out)
    return {
        "evaluation": evaluation,
        "drift": json.loads(model.with_suffix(".drift.json").read_text()),
        "own": own,
        "default": default,
    }


def watch(steps: Steps, *words: object) -> list[float]:
    """The scores of the demo clip's frames."""
    lines = steps.run("watch", "--camera", "demo", "--frames", FRAMES, "--json", *words)
    return [json.loads(line)["score"] for line in lines.splitlines()]


def heat_maps(steps: Steps, out: Path) -> None:
    """A clean and a rusted frame of the clip, through ``classify --heatmap``."""
    frames = list(clip(frames=FRAMES))
    folder = make_folder(out / "frames")
    for number in (0, FRAMES // 3, FRAMES - 1):
        Image.fromarray(frames[number]).save(folder / f"frame{number:02}.png")
    steps.run("classify", folder, "--heatmap", out / "heatmaps")


def report(results: dict[str, Any], steps: Steps, out: Path) -> Page:
    """The one page at the end."""
    evaluation, drift = results["evaluation"], results["drift"]
    rows = [
        (name, f"{evaluation[name]:.4f}", "{:.3f} to {:.3f}".format(*evaluation["ci95"][name]))
        for name in ("accuracy", "auc", "recall", "precision")
    ]
    changes = [
        ("accuracy, float", f"{drift['float']['accuracy']:.4f}"),
        ("accuracy, int8", f"{drift['int8']['accuracy']:.4f}"),
        ("same verdict", f"{drift['agreement']:.2%}"),
        ("mean change of a probability", f"{drift['mean_change']:.4f}"),
        ("largest change of a probability", f"{drift['largest_change']:.4f}"),
    ]
    pictures = [
        Figure(_png(path), f"{path.stem}: where the default model sees corrosion", path.stem)
        for path in sorted((out / "heatmaps").rglob("*.png"))
    ]
    return Page(
        "From pictures to verdicts on frames",
        f"made {time.strftime('%Y-%m-%d %H:%M')} by {len(steps.done)} commands",
        [
            Section("The trained int8 model on the test pictures", [
                Table(("figure", "value", "95 % interval"), rows, f"n = {evaluation['n']}")]),
            Section("What the conversion to int8 changed", [
                Table(("measure", "value"), changes, f"{drift['n']} validation pictures")]),
            Section("Rust grows on the demo clip", [
                Figure(_curves(results), "Probability of corrosion over the clip's frames",
                       "Two curves that rise as rust grows")]),
            Section("Where the corrosion is", pictures),
            Section("The commands", [
                Text("Latency on this machine: benchmark.html in this folder."),
                Table(("command", "seconds"), steps.done, "")]),
        ],
    )  # fmt: skip


def _curves(results: dict[str, Any]) -> bytes:
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(8, 3.4), layout="constrained")
    axes = canvas.add_subplot()
    for name, title, colour in (
        ("own", "the model just trained", "#3b6ea5"),
        ("default", "the default model (V2-B0)", "#b3430f"),
    ):
        axes.plot(results[name], color=colour, label=title)
    axes.axhline(0.5, color="#c8c8c8", linestyle="--", linewidth=1)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("frame")
    axes.set_ylabel("probability of corrosion")
    axes.legend()
    axes.grid(alpha=0.3)
    return png_of(canvas)


def _png(path: Path) -> bytes:
    read(path)  # a broken picture ends here, with its name
    return path.read_bytes()


if __name__ == "__main__":
    main()
