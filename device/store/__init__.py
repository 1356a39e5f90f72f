"""The event store: a chain of events in SQLite, pictures beside it, a row a minute of scores."""

from corrosion_edge.device.store.keeper import Keeper
from corrosion_edge.device.store.reader import Reader
from corrosion_edge.device.store.retention import Retention
from corrosion_edge.device.store.store import Store

__all__ = ["Keeper", "Reader", "Retention", "Store"]
