"""The options that tell others by network, and what opens their sinks. Light imports only."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from corrosion_edge.device.config.checking import Mistakes
from corrosion_edge.errors import UsageError
from corrosion_edge.number import Number

if TYPE_CHECKING:
    from corrosion_edge.device.outlets import Watched
    from corrosion_edge.device.sinks import Sink

__all__ = [
    "MQTT", "WEBHOOK", "open_mqtt", "open_webhook", "require_deliveries", "require_login",
    "require_mqtt",
]  # fmt: skip

_FILE: Final = click.Path(path_type=Path)
MQTT: Final = (
    click.option("--mqtt", metavar="URL",
                 help="Send the live state, and the events of --store, to this broker: "
                 "mqtt://HOST[:1883] or mqtts://HOST[:8883].  [default: off]"),
    click.option("--mqtt-user", metavar="NAME", help="The name to log in with."),
    click.option("--mqtt-password-file", type=_FILE, metavar="FILE",
                 help="A file with the password, which other users cannot read."),
    click.option("--mqtt-ca", type=_FILE, metavar="FILE",
                 help="The CA that signed the broker's certificate.  [default: the system's]"),
    click.option("--mqtt-cert", type=_FILE, metavar="FILE",
                 help="Our own certificate, for brokers that demand one."),
    click.option("--mqtt-key", type=_FILE, metavar="FILE",
                 help="The key to it.  [default: in the same file]"),
    click.option("--mqtt-prefix", metavar="TOPIC",
                 help="What all topics begin with.  [default: corrosion-edge/HOSTNAME]"),
    click.option("--mqtt-every", type=Number(1, 86400), metavar="S",
                 help="Send a camera's state at most so often while its verdict stays.  "
                 "[default: 10]"),
    click.option("--mqtt-discovery", is_flag=False, flag_value="homeassistant",
                 metavar="[PREFIX]",
                 help="Tell Home Assistant of the cameras.  [PREFIX by default: homeassistant]"),
)  # fmt: skip
WEBHOOK: Final = (
    click.option("--webhook", multiple=True, metavar="[NAME=]URL",
                 help="POST each event of --store as JSON to this address; several, each further "
                 "one with a name.  [default: off]"),
    click.option("--webhook-url-file", multiple=True, metavar="[NAME=]FILE",
                 help="A file with the address, where that itself is a secret."),
    click.option("--webhook-auth-file", multiple=True, metavar="[NAME=]FILE",
                 help="A file with the value of the header Authorization, 'Bearer …' or such, for "
                 "the webhook of that name."),
    click.option("--webhook-secret-file", multiple=True, metavar="[NAME=]FILE",
                 help="A file with a key; each POST is signed with it (HMAC-SHA256)."),
    click.option("--webhook-ca", multiple=True, metavar="[NAME=]FILE",
                 help="The CA that signed the receiver's certificate.  [default: the system's]"),
    click.option("--deliver-from", type=click.Choice(["now", "beginning"]),
                 help="What a broker or webhook gets that is new to the store: events from this "
                 "start on, or all.  [default: now]"),
)  # fmt: skip


def open_mqtt(values: Mapping[str, Any], watched: "Watched") -> "Sink | None":
    """The sink of ``--mqtt``, None without it (UsageError, KeyFileError, ExtraError)."""
    if values["mqtt"] is None:
        require_mqtt(values)
        return None
    from corrosion_edge.device.telling.mqtt.sink import mqtt_sink

    return mqtt_sink(values, watched)


def open_webhook(values: Mapping[str, Any], watched: "Watched") -> "Sink | None":
    """The sink of ``--webhook``, None without it (UsageError, KeyFileError)."""
    if not values["webhook"] and not values["webhook_url_file"]:
        require_deliveries(values)
        return None
    from corrosion_edge.device.telling.webhook_sink import webhook_sink

    return webhook_sink(values, watched)


def require_mqtt(values: Mapping[str, Any]) -> None:
    """UsageError for what is said of a broker where there is none."""
    if values["mqtt"] is None:
        _needs(values, "mqtt_", "--mqtt URL")


def require_login(values: Mapping[str, Any]) -> None:
    """UsageError for a part of a login at the broker without the other, ``Mistakes`` for all."""
    plain = str(values["mqtt"] or "").startswith("mqtt://")
    found = {
        "--mqtt-password-file: needs --mqtt-user NAME":
            values["mqtt_password_file"] is not None and values["mqtt_user"] is None,
        "--mqtt-key: needs --mqtt-cert FILE":
            values["mqtt_key"] is not None and values["mqtt_cert"] is None,
        "--mqtt-ca, --mqtt-cert: need an address that begins with mqtts://":
            plain and bool(values["mqtt_ca"] or values["mqtt_cert"]),
    }  # fmt: skip
    if said := [sentence for sentence, wrong in found.items() if wrong]:
        raise Mistakes(said)


def require_deliveries(values: Mapping[str, Any]) -> None:
    """UsageError for what is said of deliveries where there are none."""
    if values["webhook"] or values["webhook_url_file"]:
        return
    _needs(values, "webhook_", "--webhook URL")
    if values["deliver_from"] is not None and values["mqtt"] is None:
        raise UsageError("--deliver-from: needs --mqtt or --webhook")


def _needs(values: Mapping[str, Any], begin: str, what: str) -> None:
    """UsageError for an option that does nothing without another."""
    for name, value in values.items():
        if name.startswith(begin) and value not in (None, ()):
            raise UsageError(f"--{name.replace('_', '-')}: needs {what}")
