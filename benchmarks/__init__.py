"""Latency of models on this machine: timing, machine facts, and what makes a figure void."""

__all__: list[str] = []
