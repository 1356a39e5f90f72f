"""What the options of ``watch`` must be together: known before anything is read or opened.

Each check raises UsageError for one kind of mistake, in a sentence that begins with its option. It
gets the command's parameters, reads no file, and imports nothing that starts threads. What needs a
file, a model or a device is found where that is opened, which is before the store is.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from corrosion_edge.device.accelerator.options import Accelerator
from corrosion_edge.device.gpio.options import require_some_pin
from corrosion_edge.device.naming import split
from corrosion_edge.device.outlets import Outlets
from corrosion_edge.device.storing import DETECTING, STORE_OPTIONS
from corrosion_edge.device.telling.options import require_deliveries, require_login, require_mqtt
from corrosion_edge.errors import UsageError

__all__ = ["CHECKS", "require_secrets"]

_SECRETS: Final = ("webhook_url_file", "webhook_auth_file", "webhook_secret_file")

Values = Mapping[str, Any]


def _broker(values: Values) -> None:
    if values["mqtt"] is not None:
        from corrosion_edge.device.telling.mqtt.broker import Broker

        Broker.address(values["mqtt"])


def _topic(option: str) -> Callable[[Values], None]:
    """Topics begin with it."""

    def check(values: Values) -> None:
        if values[option]:
            from corrosion_edge.device.telling.mqtt.broker import require_topic

            require_topic(values[option], f"--{option.replace('_', '-')}")

    return check


def _webhook(values: Values) -> None:
    if values["webhook"] or values["webhook_url_file"]:
        from corrosion_edge.device.telling.receivers import require_addresses

        require_addresses(values)


def _stored(values: Values) -> None:
    """What tells of stored events, or is said of a store, needs one."""
    if values["folder"] is not None:
        return
    if values["webhook"] or values["webhook_url_file"]:
        option = "--webhook" if values["webhook"] else "--webhook-url-file"
        raise UsageError(f"{option}: needs --store DIR, as what it sends are stored events")
    free = DETECTING if Outlets(values).detects else ()
    for name in ("deliver_from", *STORE_OPTIONS):
        if values.get(name) is not None and name not in free:
            raise UsageError(f"--{name.replace('_', '-')}: needs --store DIR")


def _page(option: str) -> Callable[[Values], None]:
    """Others than this machine must show a token."""

    def check(values: Values) -> None:
        if values[option] is not None:
            from corrosion_edge.device.web.address import Address, require_safe

            token = values["web_token_file"] is not None
            require_safe(Address.parse(values[option]), token, f"--{option}")

    return check


def _token(values: Values) -> None:
    if values["web_token_file"] is not None and values["web"] is values["metrics"] is None:
        raise UsageError("--web-token-file: needs --web or --metrics")


def _accelerator(values: Values) -> None:
    Accelerator(**{name: values[name] for name in Accelerator.__slots__}).require_possible()


CHECKS: Final[Sequence[Callable[[Values], None]]] = (
    _broker, _topic("mqtt_prefix"), _topic("mqtt_discovery"), require_mqtt, require_login,
    require_deliveries, _webhook, _stored,
    _page("web"), _page("metrics"), _token, require_some_pin, _accelerator,
)  # fmt: skip
"""All of them, in the order in which mistakes are told."""


def require_secrets(values: Values) -> None:
    """Read the files of passwords and tokens that are named, to see that it can be done.

    KeyFileError for one that cannot be used. They are read again when what needs them is opened.
    """
    from corrosion_edge.device.secret_file import secret
    from corrosion_edge.device.web.token import read_token

    if values["mqtt_password_file"] is not None:
        secret(values["mqtt_password_file"], "--mqtt-password-file")
    for name in _SECRETS:
        for given in values[name]:
            secret(Path(split(given)[1]), f"--{name.replace('_', '-')}")
    if values["web_token_file"] is not None:
        read_token(values["web_token_file"])
