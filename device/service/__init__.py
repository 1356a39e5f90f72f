"""``watch`` as a service of systemd: its unit, and telling systemd that it lives."""

from corrosion_edge.device.service.heart import Heart
from corrosion_edge.device.service.notify import Notifier

__all__ = ["Heart", "Notifier"]
