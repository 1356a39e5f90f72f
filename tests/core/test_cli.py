import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from corrosion_edge import __version__
from corrosion_edge import errors as error_module
from corrosion_edge.cli import COMMANDS, cli, missing_extra
from corrosion_edge.errors import CorrosionEdgeError, GateError, UsageError

HEAVY = ("numpy", "PIL", "tensorflow", "keras", "sklearn", "scipy", "matplotlib", "av", "jinja2",
         "ai_edge_litert", "imagehash")  # fmt: skip


def _modules_after(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sorted(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in run.stdout.splitlines()[-1].split()}


def test_help_imports_nothing_heavy():
    statement = (
        "from click.testing import CliRunner; from corrosion_edge.cli import cli; "
        "assert CliRunner().invoke(cli, ['--help']).exit_code == 0"
    )
    assert not _modules_after(statement) & set(HEAVY)


def test_importing_the_package_imports_nothing_of_it():
    code = "import sys; import corrosion_edge; print(*[m for m in sys.modules if 'corrosion' in m])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert [m for m in run.stdout.split() if not m.startswith("__editable__")] == ["corrosion_edge"]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_tables_help_is_the_commands_own(name):
    place, line = COMMANDS[name]
    module, function = place.split(":")
    command = getattr(importlib.import_module(module), function)
    assert isinstance(command, click.Command)
    assert command.name == name
    first = re.split(r"\n\s*\n", (command.help or "").strip())[0]
    assert " ".join(first.split()) == line


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_documents_its_options(name):
    result = CliRunner().invoke(cli, [name, "--help"])
    assert result.exit_code == 0, result.output
    module, function = COMMANDS[name][0].split(":")
    for parameter in getattr(importlib.import_module(module), function).params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.opts}"


def test_version():
    assert (
        CliRunner().invoke(cli, ["--version"]).output == f"corrosion-edge, version {__version__}\n"
    )


def test_unknown_command_and_option_are_wrong_usage():
    for words in (["fly"], ["train", "--nonsense"], ["train"]):
        result = CliRunner().invoke(cli, words)
        assert result.exit_code == 2
        assert "Error" in result.output


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell):
    result = CliRunner().invoke(cli, ["completion", shell])
    assert result.exit_code == 0
    assert "_CORROSION_EDGE_COMPLETE" in result.output


def test_completion_completes_commands_and_options():
    def complete(words: str, number: int) -> str:
        env = os.environ | {"_CORROSION_EDGE_COMPLETE": "bash_complete", "COMP_WORDS": words,
                            "COMP_CWORD": str(number)}  # fmt: skip
        program = Path(sys.executable).with_name("corrosion-edge")
        return subprocess.run([program], env=env, capture_output=True, text=True).stdout

    assert "plain,watch" in complete("corrosion-edge wa", 1)
    assert "--interval" in complete("corrosion-edge watch --in", 2)


def test_errors_become_one_line_and_their_exit_code(monkeypatch):
    for error, code in ((GateError("too far"), 3), (UsageError("no"), 2)):

        def fail(error: Exception = error) -> None:
            raise error

        monkeypatch.setitem(COMMANDS, "fail", ("tests_fail:command", "Fail."))
        module = type(sys)("tests_fail")
        module.command = click.Command("fail", callback=fail)
        monkeypatch.setitem(sys.modules, "tests_fail", module)
        result = CliRunner().invoke(cli, ["fail"])
        assert result.exit_code == code
        assert result.output == f"Error: {error}\n"


def test_a_missing_extra_is_one_sentence():
    error = missing_extra(ModuleNotFoundError("no", name="tensorflow.python"))
    assert "pip install 'corrosion-edge[train]'" in str(error)


def test_any_other_missing_module_is_our_bug_and_stays_loud():
    with pytest.raises(ModuleNotFoundError):
        missing_extra(ModuleNotFoundError("no", name="corrosion_edge.nonsense"))


def test_without_the_training_packages_train_says_which_extra(tmp_path):
    blocked = (
        "import sys; sys.modules['tensorflow'] = None; from corrosion_edge.cli import main; main()"
    )
    run = subprocess.run(
        [sys.executable, "-c", blocked, "train", tmp_path, "--out", tmp_path / "x"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 2
    assert "pip install 'corrosion-edge[train]'" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    "command", ["--help", "watch --print-config", "doctor --json", "completion bash"]
)
def test_a_full_device_is_told_in_a_sentence(command):
    with Path("/dev/full").open("w") as full:
        run = subprocess.run([sys.executable, "-m", "corrosion_edge", *command.split()],
                             stdout=full, stderr=subprocess.PIPE, text=True)  # fmt: skip
    said = "Error: standard output: cannot be written (No space left on device)\n"
    assert (run.returncode, run.stderr) == (1, said)


def test_every_error_is_in_the_drawn_tree_with_its_exit_code():
    tree = error_module.__doc__ or ""
    for name in error_module.__all__:
        kind = getattr(error_module, name)
        assert issubclass(kind, CorrosionEdgeError)
        if name != "SourceLost":
            line = next(x for x in tree.splitlines() if re.search(rf"\b{name}\b", x))
            assert str(kind.exit_code) in line, line


def test_all_names_exist():
    import pkgutil

    import corrosion_edge

    for info in pkgutil.walk_packages(corrosion_edge.__path__, "corrosion_edge."):
        if "picamera2_source" in info.name or info.name.endswith("__main__"):
            continue
        module = importlib.import_module(info.name)
        assert hasattr(module, "__all__"), f"{info.name} has no __all__"
        for name in module.__all__:
            assert hasattr(module, name), f"{info.name}.{name}"
