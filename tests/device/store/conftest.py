"""Disks to be filled."""

import subprocess

import pytest


@pytest.fixture
def disk_of(tmp_path):
    """Mounts a file system of a size of its own; skips where none can be mounted."""
    folder = tmp_path / "roomy"
    folder.mkdir()

    def mount(size):
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder]
        made = subprocess.run(command, capture_output=True, text=True)
        if made.returncode:
            pytest.skip(f"no file system can be mounted here: {made.stderr.strip()}")
        return folder

    yield mount
    subprocess.run(["umount", "--quiet", folder], check=False)
