"""The unit: what systemd starts, and all that it forbids it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["CONFIG", "MARK", "NAME", "STATE", "UNIT", "Unit"]

NAME: Final = "corrosion-edge"
UNIT: Final = Path("etc/systemd/system/corrosion-edge.service")
CONFIG: Final = Path("etc/corrosion-edge/watch.toml")
STATE: Final = Path("var/lib/corrosion-edge")
"""Places below the root."""

MARK: Final = "# Written by corrosion-edge service install; changes are lost at the next install."

_BACK_OFF_SINCE: Final = 254  # systemd: RestartSteps=, RestartMaxDelaySec=

_TEMPLATE: Final = """\
{mark}
[Unit]
Description=Corrosion watcher
# Never give up: a camera or a disk may come back after days.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart={program} watch --config /{config}
# systemctl reload: look at the model file now. The shell's own kill: not every system has another.
ExecReload=/bin/sh -c "kill -HUP $MAINPID"
User={name}
Group={name}
{groups}WorkingDirectory=/{state}
StateDirectory={name}
StateDirectoryMode=0750
UMask=0027
Environment=PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1

# The pipeline pings while it makes progress; the model's start on a slow board takes a while.
WatchdogSec=60
TimeoutStartSec=180
TimeoutStopSec=20
Restart=on-failure
# A mistake in the configuration, or a package that is missing, does not mend itself.
RestartPreventExitStatus=2
RestartSec=5
{back_off}
# Only where the kernel has the memory controller, see docs/raspberry-pi.md.
MemoryHigh={high}M
MemoryMax={most}M
TasksMax=64

# Cameras (V4L2, libcamera), the Coral on USB (and its reset) or PCIe, pins, the firmware's flags;
# nothing else.
DevicePolicy=closed
DeviceAllow=char-video4linux rw
DeviceAllow=char-media rw
DeviceAllow=char-dma_heap rw
DeviceAllow=char-usb_device rw
DeviceAllow=char-apex rw
DeviceAllow=char-gpiochip rw
DeviceAllow=char-vcio rw

ProtectSystem=strict
# Not covered by the line above: everybody may write /run/lock.
ReadOnlyPaths=-/run
ProtectHome=yes
PrivateTmp=yes
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
KeyringMode=private
LockPersonality=yes
MemoryDenyWriteExecute=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RemoveIPC=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
# Without ProtectClock=, and with these two calls: they tell whether the clock is synchronised.
# Setting it needs a capability, and there is none.
SystemCallFilter=@system-service adjtimex clock_adjtime
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True, slots=True)
class Unit:
    """The unit for a ``program`` (an absolute path), with the groups that own the devices.

    ``memory`` is the limit in MiB. ``systemd`` is the version that will read it, 0 where unknown:
    older ones warn of keys that they do not know.
    """

    program: Path
    groups: Sequence[str]
    systemd: int = 0
    memory: int = 512

    def __post_init__(self) -> None:
        words = str(self.program)
        odd = any(not letter.isprintable() or letter in " \"'%$\\;" for letter in words)
        if odd or not self.program.is_absolute():
            raise ValueError(f"program: expected an absolute path without blanks, got {words!r}")
        if self.memory < 128:
            raise ValueError(f"memory: expected 128 MiB or more, got {self.memory}")

    @property
    def text(self) -> str:
        """The unit's file."""
        groups = f"SupplementaryGroups={' '.join(self.groups)}\n" if self.groups else ""
        steps = "RestartSteps=8\nRestartMaxDelaySec=300\n"
        return _TEMPLATE.format(
            mark=MARK, name=NAME, program=self.program, config=CONFIG, state=STATE, groups=groups,
            back_off=steps if self.systemd >= _BACK_OFF_SINCE else "",
            high=self.memory * 4 // 5, most=self.memory,
        )  # fmt: skip
