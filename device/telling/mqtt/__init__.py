"""MQTT: events with acknowledgement, each camera's state retained, Home Assistant's discovery."""

__all__: list[str] = []
