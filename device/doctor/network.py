"""Probes of the clock, the host's name and its addresses."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import IPv6Address

from corrosion_edge.device import clock
from corrosion_edge.device.doctor.finding import OK, PROBLEM, UNKNOWN, WARNING, Finding
from corrosion_edge.device.doctor.host import Host

__all__ = ["network", "time_of_day"]


def time_of_day(host: Host) -> Iterator[Finding]:
    """Whether the clock is set from elsewhere, can be true at all, and survives a power cut."""
    now = datetime.fromtimestamp(host.now(), UTC)
    said = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    rtc = [host.text(path / "name").split()[0] for path in host.glob("sys/class/rtc/rtc*")
           if host.text(path / "name")]  # fmt: skip
    # That a battery is fitted, no file tells: a Raspberry Pi 5 has the chip without one.
    keeps = f"clock chip {rtc[0]}, if its battery is there" if rtc else "no battery-backed clock"
    if not clock.is_believable(now):
        yield Finding("clock", PROBLEM, f"{said}, which is past; {keeps}", _set_it(bool(rtc)))
        return
    synchronised = host.synchronised()
    if synchronised:
        yield Finding("clock", OK, f"{said}, synchronised; {keeps}")
    elif synchronised is None:
        yield Finding("clock", UNKNOWN, f"{said}; the kernel does not say whether it is right",
                      "Compare it with another clock: timedatectl")  # fmt: skip
    else:
        yield Finding("clock", WARNING, f"{said}, not synchronised; {keeps}", _set_it(bool(rtc)))


def network(host: Host) -> Iterator[Finding]:
    """The host's name and the addresses it is reached at."""
    name = host.text("proc/sys/kernel/hostname") or host.text("etc/hostname") or "no name"
    found = [*_ipv4(host), *_ipv6(host)]
    if found:
        yield Finding("network", OK, f"{name} ({name}.local with avahi): {', '.join(found)}")
    else:
        yield Finding("network", WARNING, f"{name}: no address",
                      "watch works without; the clock and messages do not.")  # fmt: skip


def _set_it(has_rtc: bool) -> str:
    advice = "Attach a network and run: timedatectl set-ntp true"
    return advice if has_rtc else f"{advice}; or fit a battery-backed clock"


def _ipv4(host: Host) -> list[str]:
    """This host's own addresses in the kernel's routing trie: those marked as local."""
    found = re.findall(r"\|-- ([\d.]+)\n\s+/32 host LOCAL", host.text("proc/net/fib_trie"))
    return [address for address in dict.fromkeys(found) if not address.startswith("127.")]


def _ipv6(host: Host) -> list[str]:
    """Addresses of global scope: in /proc/net/if_inet6 the fourth column is 00."""
    lines = [line.split() for line in host.text("proc/net/if_inet6").splitlines()]
    return [str(IPv6Address(int(words[0], 16))) for words in lines
            if len(words) == 6 and words[3] == "00"]  # fmt: skip
