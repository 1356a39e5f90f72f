"""Several webhooks: what the options say of each, put together by the names before ``=``."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from corrosion_edge.device.config.checking import require_all
from corrosion_edge.device.naming import split
from corrosion_edge.device.secret_file import secret
from corrosion_edge.device.telling.tls import client_context
from corrosion_edge.device.telling.webhook import Target, WebhookSender
from corrosion_edge.errors import UsageError

__all__ = ["require_addresses", "senders", "targets"]

_URL: Final = "webhook"
_FURTHER: Final = ("webhook_auth_file", "webhook_secret_file", "webhook_ca")


def targets(values: Mapping[str, Any]) -> dict[str, Target]:
    """The webhooks' addresses by name, '' for the one without (UsageError, KeyFileError)."""
    urls, files = _addresses(values)
    found = {name: Target.parse(url, _called("--webhook", name)) for name, url in urls.items()}
    for name, file in files.items():
        option = _called("--webhook-url-file", name)
        found[name] = Target.parse(secret(Path(file), option).strip(), _called("--webhook", name))
    return found


def senders(values: Mapping[str, Any]) -> dict[str, WebhookSender]:
    """What sends to each, by name (UsageError, KeyFileError)."""
    found = targets(values)
    further = {option: _further(values, option, found) for option in _FURTHER}
    return {
        name: _sender(name, target, *(further[option].get(name, "") for option in _FURTHER))
        for name, target in found.items()
    }


def require_addresses(values: Mapping[str, Any]) -> None:
    """UsageError for what is wrong with addresses and names, as far as no file has to be read.

    ``Mistakes`` has all of it.
    """
    urls = list(map(split, values[_URL]))
    names = {name for name, _ in urls} | {split(file)[0] for file in values["webhook_url_file"]}
    require_all([
        *(partial(Target.parse, url, _called("--webhook", name)) for name, url in urls),
        partial(_addresses, values),
        *(partial(_further, values, option, names) for option in _FURTHER),
    ])  # fmt: skip


def _addresses(values: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Addresses and files with addresses, by name."""
    urls, files = _named(values, _URL), _named(values, "webhook_url_file")
    if both := set(urls) & set(files):
        both_options = _called("--webhook, --webhook-url-file", min(both))
        raise UsageError(
            f"{both_options}: give one of them; each further webhook has a name, NAME=URL"
        )
    return urls, files


def _further(
    values: Mapping[str, Any], option: str, known: Collection[str]
) -> dict[str, str]:  # fmt: skip
    """What an option says of each webhook beside its address, by name."""
    given = _named(values, option)
    require_all(partial(_require_known, _option(option), name, known) for name in given)
    return given


def _require_known(option: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        raise UsageError(_nobody(option, name, known))


def _sender(name: str, target: Target, auth: str, key: str, ca: str) -> WebhookSender:
    option = _called("--webhook-ca", name)
    if ca and target.scheme != "https":
        raise UsageError(f"{option}: needs an address that begins with https://")
    authorization = _content(auth, _called("--webhook-auth-file", name))
    if not authorization.isascii():
        raise UsageError(
            f"{_called('--webhook-auth-file', name)}: expected letters, digits and signs in ASCII"
        )
    context = client_context(Path(ca) if ca else None, option) if target.scheme == "https" else None
    return WebhookSender(
        target,
        called=name,
        key=_content(key, _called("--webhook-secret-file", name)),
        authorization=authorization,
        context=context,
    )


def _named(values: Mapping[str, Any], parameter: str) -> dict[str, str]:
    """An option's values by the names before them."""
    given: Sequence[str] = values[parameter]
    found: dict[str, str] = {}
    for name, value in map(split, given):
        if name in found and name:
            raise UsageError(f"{_option(parameter)}: {name} is named twice")
        if name in found:
            raise UsageError(
                f"{_option(parameter)}: two are without a name; put one before each but the first, "
                f"{_option(parameter)} NAME=…"
            )
        found[name] = value
    return found


def _nobody(option: str, name: str, found: Collection[str]) -> str:
    names = ", ".join(sorted(filter(None, found)))
    if not name:
        return f"{option}: which webhook is it for? Put its name before it, NAME=FILE ({names})"
    known = f"there are {names}" if names else "none has a name: --webhook NAME=URL"
    return f"{option}: no webhook is called {name}; {known}"


def _option(parameter: str) -> str:
    return f"--{parameter.replace('_', '-')}"


def _called(option: str, name: str) -> str:
    """The option as messages name it."""
    return f"{option} {name}=…" if name else option


def _content(file: str, option: str) -> str:
    return secret(Path(file), option) if file else ""
