"""What Home Assistant is told so that cameras appear there by themselves.

One configuration message an entity, retained, at ``<prefix>/<component>/<node>/<object>/config``
(home-assistant.io, "MQTT discovery"); the form that every version with MQTT discovery reads.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from corrosion_edge import __version__
from corrosion_edge.device.telling.mqtt.broker import Topics, require_topic, slug

__all__ = ["BIRTH", "Discovery"]

BIRTH: Final = "online"
"""What Home Assistant says at ``<prefix>/status`` when it has started."""

# A payload of "None" makes an entity unknown: nobody can tell, which is neither on nor off.
_CORROSION: Final = "{{ {true: 'ON', false: 'OFF'}.get(value_json.corrosion, 'None') }}"
_FRAME: Final = "{{ value_json.verdict if value_json.verdict is not none else 'None' }}"
_SCORE: Final = "{{ value_json.score if value_json.score is not none else 'None' }}"
_PROBLEM: Final = (
    "{{ 'ON' if value_json.state in ['degraded', 'lost', 'frozen', 'ended'] "
    "or value_json.unusable else 'OFF' }}"
)
_ACCELERATOR: Final = (
    "{{ 'ON' if value_json.accelerator and not value_json.accelerator.up else 'OFF' }}"
)


@dataclass(frozen=True, slots=True)
class Discovery:
    """The messages for a watch on a host and its ``cameras``; ``prefix`` is Home Assistant's."""

    topics: Topics
    cameras: Sequence[str]
    host: str
    prefix: str = "homeassistant"

    def __post_init__(self) -> None:
        require_topic(self.prefix, "--mqtt-discovery")

    @property
    def birth(self) -> str:
        """Where Home Assistant says that it has started."""
        return f"{self.prefix}/status"

    def messages(self, model: str) -> Iterator[tuple[str, str]]:
        """Topic and JSON of every entity; ``model`` is the name of the model in use."""
        watch = slug(self.topics.prefix)
        yield from self._told(watch, self._device(watch, self.host, model),
                              _of_watch(self.topics.watch))  # fmt: skip
        for camera in self.cameras:
            node = slug(f"{self.topics.prefix}-{camera}")
            device = {**self._device(node, f"{self.host} {camera}", model), "via_device": watch}
            yield from self._told(node, device, _of_camera(self.topics.state(camera)))

    def _told(
        self, node: str, device: dict[str, Any], entities: "Iterator[_Entity]"
    ) -> Iterator[tuple[str, str]]:
        for component, name, entity in entities:
            config = {**self._common(node, name), **entity, "device": device}
            topic = f"{self.prefix}/{component}/{node}/{name}/config"
            yield topic, json.dumps(config, sort_keys=True)

    def _common(self, node: str, name: str) -> dict[str, Any]:
        return {
            "unique_id": f"{node}-{name}",
            "availability_topic": self.topics.availability,
            "payload_available": "online",
            "payload_not_available": "offline",
            "qos": 1,
            "origin": {"name": "corrosion-edge", "sw_version": __version__},
        }

    def _device(self, node: str, name: str, model: str) -> dict[str, Any]:
        return {
            "identifiers": [node],
            "name": name,
            "manufacturer": "corrosion-edge",
            "model": model,
            "sw_version": __version__,
        }


_Entity = tuple[str, str, dict[str, Any]]
"""Component, object, and what is its own."""


def _of_watch(state: str) -> Iterator[_Entity]:
    yield "sensor", "runs-on", {
        "name": "Model runs on",
        "icon": "mdi:chip",
        "entity_category": "diagnostic",
        "state_topic": state,
        "value_template": "{{ value_json.word }}",
        "json_attributes_topic": state,
    }  # fmt: skip
    yield "binary_sensor", "accelerator", {
        "name": "Accelerator problem",
        "device_class": "problem",
        "entity_category": "diagnostic",
        "state_topic": state,
        "value_template": _ACCELERATOR,
    }  # fmt: skip


def _of_camera(state: str) -> Iterator[_Entity]:
    yield "binary_sensor", "corrosion", {
        "name": "Corrosion",
        "icon": "mdi:magnify-scan",
        "state_topic": state,
        "value_template": _CORROSION,
        "json_attributes_topic": state,
    }  # fmt: skip
    yield "sensor", "score", {
        "name": "Corrosion score",
        "state_topic": state,
        "value_template": _SCORE,
        "state_class": "measurement",
        "suggested_display_precision": 3,
    }  # fmt: skip
    yield "sensor", "frame", {
        "name": "Newest frame",
        "icon": "mdi:image-search",
        "entity_category": "diagnostic",
        "state_topic": state,
        "value_template": _FRAME,
    }  # fmt: skip
    yield "binary_sensor", "problem", {
        "name": "Camera problem",
        "device_class": "problem",
        "entity_category": "diagnostic",
        "state_topic": state,
        "value_template": _PROBLEM,
    }  # fmt: skip
