"""``corrosion-edge service`` below another root."""

import os
import shutil
import stat

import pytest
from click.testing import CliRunner

from corrosion_edge.cli import cli
from corrosion_edge.device.service import install as module
from corrosion_edge.device.service.install import Place
from corrosion_edge.device.service.steps import Remove, Run, Write
from corrosion_edge.errors import OutputError

PROGRAM = "/opt/corrosion-edge/bin/corrosion-edge"
UNIT = "etc/systemd/system/corrosion-edge.service"
WANTED = "etc/systemd/system/multi-user.target.wants/corrosion-edge.service"
CONFIG = "etc/corrosion-edge/watch.toml"

needs_root = pytest.mark.skipif(
    os.geteuid() != 0
    or shutil.which("systemd-sysusers") is None
    or shutil.which("userdel") is None,
    reason="a user can only be made by root, with systemd-sysusers and userdel",
)


@pytest.fixture
def root(tmp_path):
    """A root file system with the program in it, as an image builder has one."""
    made = tmp_path / "root"
    program = made / PROGRAM[1:]
    program.parent.mkdir(parents=True)
    program.touch()
    for path in (program, *program.relative_to(made).parents):
        (made / path).chmod(0o755)
    (made / "etc").mkdir()
    (made / "etc/group").write_text("root:x:0:\nvideo:x:44:\ngpio:x:986:\n")
    (made / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/bash\n")
    return made


@pytest.fixture
def with_user(root):
    """The user is there already, and the file's group is one that this process may give away."""
    (root / "etc/passwd").write_text("corrosion-edge:x:995:995::/var/lib/x:/usr/sbin/nologin\n")
    with (root / "etc/group").open("a") as file:
        file.write(f"corrosion-edge:x:{os.getegid()}:\n")


def run(*arguments):
    return CliRunner().invoke(cli, ["service", *map(str, arguments)])


def install(root, *more):
    return run("install", "--root", root, "--program", PROGRAM, *more)


def everything(root):
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def test_install_writes_what_it_says(root, with_user):
    result = install(root)
    assert result.exit_code == 0, result.output
    told = [line.split()[1][1:] for line in result.stdout.splitlines()]
    assert told == ["etc/sysusers.d/corrosion-edge.conf", CONFIG, UNIT, WANTED]
    unit = (root / UNIT).read_text()
    assert f"\nExecStart={PROGRAM} watch --config /{CONFIG}\n" in unit
    assert "\nSupplementaryGroups=video gpio\n" in unit
    assert str((root / WANTED).readlink()) == f"/{UNIT}"
    mode = stat.S_IMODE((root / CONFIG).stat().st_mode)
    assert (mode, (root / CONFIG).stat().st_gid) == (0o640, os.getegid())


def test_the_first_configuration_is_one_that_watch_takes(root, with_user):
    install(root)
    result = CliRunner().invoke(cli, ["watch", "--config", str(root / CONFIG), "--print-config"])
    assert result.exit_code == 0, result.output
    assert "interval = 10.0" in result.stdout
    assert "await-cameras = true" in result.stdout


def test_a_dry_run_shows_all_and_changes_nothing(root):
    before = everything(root)
    result = install(root, "--dry-run")
    assert result.exit_code == 0
    assert "    WatchdogSec=60" in result.stdout
    assert "systemd-sysusers" in result.stdout
    assert everything(root) == before


def test_uninstall_removes_what_install_wrote_and_nothing_else(root, with_user):
    before = everything(root)
    install(root)
    data = root / "var/lib/corrosion-edge/events.db"
    data.parent.mkdir(parents=True)
    data.write_text("kept")
    (root / "etc/systemd/system/other.service").write_text("not ours")
    assert run("uninstall", "--root", root).exit_code == 0
    left = {path for path in everything(root) if (root / path).is_file()} - set(before)
    assert left == {CONFIG, "var/lib/corrosion-edge/events.db", "etc/systemd/system/other.service"}
    again = run("uninstall", "--root", root)
    said = f"nothing to remove below {root}: the service is not installed\n"
    assert (again.exit_code, again.output) == (0, said)


def test_a_configuration_with_mistakes_is_not_installed_over(root, with_user):
    """All of them are told, and what the user wrote stays."""
    config = root / CONFIG
    config.parent.mkdir(parents=True)
    config.write_text("[watch]\njson = 3\n[store]\nfolder = 7\n")
    before = everything(root)
    for more in ((), ("--dry-run",)):
        result = install(root, *more)
        assert result.exit_code == 2
        for line in (f"{config}: 2 mistakes", "watch.toml:2: json", "watch.toml:4: folder",
                     "nothing was installed"):  # fmt: skip
            assert line in result.stderr
        assert everything(root) == before
    config.write_text("[watch]\njson = true\n")
    assert install(root).exit_code == 0
    assert config.read_text() == "[watch]\njson = true\n"


@needs_root
def test_the_user_is_made_and_with_purge_removed(root):
    result = install(root)
    assert result.exit_code == 0, result.output
    assert "\ncorrosion-edge:x:" in (root / "etc/passwd").read_text()
    (root / "var/lib/corrosion-edge/pictures").mkdir(parents=True)
    result = run("uninstall", "--purge", "--root", root)
    assert result.exit_code == 0, result.output
    assert "corrosion-edge" not in (root / "etc/passwd").read_text()
    left = [path for path in everything(root) if "corrosion-edge" in path]
    assert left == ["opt/corrosion-edge", "opt/corrosion-edge/bin", PROGRAM[1:]]


def test_a_second_install_keeps_the_configuration(root, with_user):
    install(root)
    (root / CONFIG).write_text("[watch]\nframes = 7\n")
    assert install(root, "--memory", "256").exit_code == 0
    assert (root / CONFIG).read_text() == "[watch]\nframes = 7\n"
    assert "MemoryMax=256M" in (root / UNIT).read_text()


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_somebody_elses_unit_is_left_alone(root, command):
    (root / UNIT).parent.mkdir(parents=True)
    (root / UNIT).write_text("[Service]\n")
    more = ["--program", PROGRAM] if command == "install" else []
    result = run(command, "--root", root, *more)
    assert result.exit_code == 2
    assert "was not written by this program" in result.stderr
    assert (root / UNIT).read_text() == "[Service]\n"


def test_a_program_whose_python_lies_in_a_home(root):
    (root / PROGRAM[1:]).write_text("#!/home/ann/.pyenv/bin/python3\nprint()\n")
    result = run("install", "--root", root, "--program", PROGRAM)
    assert result.exit_code == 2
    assert "runs /home/ann/.pyenv/bin/python3, in a home" in result.stderr


def test_a_program_that_the_service_could_not_run(root):
    result = run("install", "--root", root, "--program", "/opt/nothing")
    assert (result.exit_code, "is no file" in result.stderr) == (2, True)
    home = root / "home/ann/bin/corrosion-edge"
    home.parent.mkdir(parents=True)
    home.touch()
    result = run("install", "--root", root, "--program", "/home/ann/bin/corrosion-edge")
    assert (result.exit_code, "lies in a home" in result.stderr) == (2, True)
    (root / "opt/corrosion-edge").chmod(0o700)
    result = install(root)
    assert (result.exit_code, "chmod o+rx /opt/corrosion-edge" in result.stderr) == (2, True)
    assert not (root / UNIT).exists()


def test_without_root_rights_it_says_so():
    with pytest.raises(module.UsageError, match="sudo"):
        Place(module.Path("/"), own_user=lambda: 1000).require_rights()


def test_a_root_that_is_no_folder(tmp_path):
    assert run("uninstall", "--root", tmp_path / "nowhere").exit_code == 2


def test_status(root, with_user):
    result = run("status", "--root", root)
    assert (result.exit_code, "not installed" in result.stdout) == (1, True)
    install(root)
    result = run("status", "--root", root)
    assert (result.exit_code, result.stdout.startswith("installed")) == (0, True)


def test_the_version_of_systemd_is_that_of_the_root(root):
    assert Place(root).systemd == 0
    folder = root / "usr/lib/aarch64-linux-gnu/systemd"
    folder.mkdir(parents=True)
    (folder / "libsystemd-shared-257.so").touch()
    assert Place(root).systemd == 257


def test_a_step_that_fails_is_a_sentence(tmp_path):
    with pytest.raises(OutputError, match="false"):
        Run(("false",)).take(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        Write(module.Path("file/below"), "x").take(tmp_path)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/group").write_text("")
    with pytest.raises(OutputError, match="has no ghosts"):
        Write(module.Path("x"), "x", 0o640, "ghosts").take(tmp_path)
    assert not list(tmp_path.glob(".x*"))


def test_a_link_is_removed_and_not_what_it_leads_to(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/x").touch()
    (tmp_path / "link").symlink_to(tmp_path / "data")
    Remove(module.Path("link"), whole=True).take(tmp_path)
    assert (tmp_path / "data/x").exists()
    assert not (tmp_path / "link").is_symlink()
