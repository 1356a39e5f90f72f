"""The commands ``bundle show``, ``verify``, ``sign``, ``diff``, ``compiled`` and ``keygen``."""

import os
import sys
from pathlib import Path

import click

from corrosion_edge.errors import BundleError, KeyFileError, UsageError

__all__ = ["PASSPHRASE", "bundle"]

PASSPHRASE = "CORROSION_EDGE_PASSPHRASE"
"""The environment variable with the passphrase of a private key, where nobody can type it."""

_model = click.argument("model", type=click.Path(path_type=Path), metavar="MODEL")
_as_json = click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def bundle() -> None:
    """Look into a model file, verify, sign and compare it."""


@bundle.command()
@_model
@_as_json
def show(model: Path, as_json: bool) -> None:
    """Show what a model file holds and says of itself.

    A file that is damaged is refused. Who signed it is told, not checked: that is verify.
    """
    from corrosion_edge.modelfile import summary
    from corrosion_edge.output import json_text

    found = summary.facts(summary.open_file(model))
    click.echo(json_text(found) if as_json else "\n".join(summary.lines(found)), nl=not as_json)


@bundle.command()
@_model
@click.option("--key", type=click.Path(path_type=Path), metavar="KEY.pub",
              help="The public key that it must be signed with.")  # fmt: skip
@click.option("--level", type=click.Choice(["quick", "full"]), default="full", show_default=True,
              help="Run one golden picture, or all.")  # fmt: skip
def verify(model: Path, key: Path | None, level: str) -> None:
    """Verify a model file, and its answers on this machine.

    Hashes, signature, the network and golden outputs. What is right is printed line by line. The
    first thing that is not ends it, with one sentence and exit code 1. The golden outputs need a
    TFLite runtime, from corrosion-edge[device].
    """
    from corrosion_edge.device.verify import verify as verified
    from corrosion_edge.modelfile.keys import PublicKey

    for sentence in verified(model, PublicKey.load(key) if key else None, level):
        click.echo(sentence)


@bundle.command()
@_model
@click.option("--key", required=True, type=click.Path(path_type=Path), metavar="KEY",
              help="The private key, as 'bundle keygen' writes it.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE",
              help="Where to write it.  [default: in place]")  # fmt: skip
def sign(model: Path, key: Path, out: Path | None) -> None:
    """Sign a model file, in place of any signature that it carries.

    The same key and content give the same bytes. An encrypted key asks for its passphrase, or
    takes it from the environment variable CORROSION_EDGE_PASSPHRASE.
    """
    from corrosion_edge import output
    from corrosion_edge.modelfile import signature, summary
    from corrosion_edge.modelfile.keys import PrivateKey

    file = summary.open_file(model).file
    signer = PrivateKey.load(key, lambda: _passphrase(key))
    output.write(out or model, signature.sign(file, signer).to_bytes())
    click.echo(f"Signed with the key {signer.public.id}: {out or model}", err=True)


@bundle.command()
@click.argument("one", type=click.Path(path_type=Path), metavar="A")
@click.argument("two", type=click.Path(path_type=Path), metavar="B")
@_as_json
@click.pass_context
def diff(ctx: click.Context, one: Path, two: Path, as_json: bool) -> None:
    """Compare two model files.

    Network, manifest, members, golden outputs and signature.

    Exit codes: 0 they are the same; 1 they differ; 2 one cannot be read.
    """
    from corrosion_edge.modelfile import difference, summary
    from corrosion_edge.output import json_text

    try:
        found = difference.differences(summary.open_file(one), summary.open_file(two))
    except BundleError as error:
        raise UsageError(str(error)) from None
    if as_json:
        click.echo(json_text(found), nl=False)
    else:
        click.echo("\n".join(difference.lines(found)) or "the same")
    ctx.exit(int(bool(found)))


@bundle.command()
@_model
@click.argument("network", type=click.Path(path_type=Path), metavar="COMPILED")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE",
              help="Where to write it.  [default: in place of COMPILED]")  # fmt: skip
def compiled(model: Path, network: Path, out: Path | None) -> None:
    """Make a model file of what edgetpu_compiler made of MODEL.

    The manifest of MODEL, its threshold and its golden pictures go with it; it says what was
    compiled. It is not signed. A file that was not compiled from MODEL is refused.
    """
    from corrosion_edge.bundle import read_file
    from corrosion_edge.modelfile import compiled as wrapping
    from corrosion_edge.modelfile import summary

    target = out or network
    if target.exists() and target.samefile(model):
        raise UsageError(f"--out: {target} is MODEL itself, expected another file")
    bundle, content = summary.open_file(model).bundle, read_file(network)
    try:
        made = wrapping.wrap(bundle, wrapping.network_of(content), model.name)
    except BundleError as error:
        raise BundleError(f"{network}: {error}") from None
    made.save(target)
    told = made.manifest.compiled
    assert told is not None
    counts = f"{told.mapped_ops} operators on the Edge TPU, {told.cpu_ops} on the CPU"
    click.echo(f"Written: {target}, compiled from {model}: {counts}", err=True)


@bundle.command()
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="KEY",
              help="File for the private key; the public one goes to KEY.pub.")  # fmt: skip
@click.option("--passphrase", is_flag=True,
              help="Encrypt the private key with a passphrase, which is asked for.")  # fmt: skip
def keygen(out: Path, passphrase: bool) -> None:
    """Make a pair of keys for signing.

    The private key, readable by you alone, stays where models are made; KEY.pub goes to the
    devices. Neither overwrites a file. The passphrase may also stand in the environment variable
    CORROSION_EDGE_PASSPHRASE.
    """
    from corrosion_edge.modelfile.keys import PrivateKey, public_path

    secret = os.environ.get(PASSPHRASE, "")
    if passphrase and not secret:
        secret = click.prompt("Passphrase", hide_input=True, confirmation_prompt=True)
    key = PrivateKey.generate()
    key.save(out, secret)
    click.echo(f"Written: {out} (keep it secret) and {public_path(out)}, key {key.public.id}")


def _passphrase(key: Path) -> str:
    """Of an encrypted key: from the environment, else from the person at the terminal."""
    if secret := os.environ.get(PASSPHRASE):
        return secret
    if not sys.stdin.isatty():
        raise KeyFileError(f"{key}: is encrypted; set {PASSPHRASE} or call this from a terminal")
    return str(click.prompt(f"Passphrase of {key}", hide_input=True))
