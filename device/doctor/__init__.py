"""Looks over a machine: what a corrosion watcher needs, what is there, and what to do."""

from corrosion_edge.device.doctor.finding import Finding
from corrosion_edge.device.doctor.host import Host

__all__ = ["Finding", "Host"]
