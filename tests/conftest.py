"""What several rooms' tests need: a rendered set, a tiny trained run, its model file, photos."""

import datetime
import ipaddress
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from common import Common

CHECKOUT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("CORROSION_EDGE_SHARED", CHECKOUT.parent / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real photos and weights; skips where it is absent."""
    if not (SHARED / "data" / "corrosion").is_dir():
        pytest.skip(f"no real photos: {SHARED} is absent (CORROSION_EDGE_SHARED names it)")
    return SHARED


@pytest.fixture(scope="session")
def data(shared: Path) -> Path:
    """The real photos of the paper's data set."""
    return shared / "data" / "corrosion"


@pytest.fixture(scope="session", autouse=True)
def common_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Say where; pytest-xdist puts the folders of its processes into one."""
    mine = tmp_path_factory.getbasetemp()
    Common.folder = mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine


@pytest.fixture(scope="session")
def wheel() -> Path:
    """The project's wheel, built from the checkout; once, for two builds there spoil each other."""
    words = ["-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    with Common.held("wheel") as folder:
        if not folder.is_dir():
            done = subprocess.run([sys.executable, *words, "--wheel-dir", folder, CHECKOUT],
                                  env=environment, capture_output=True, text=True)  # fmt: skip
            assert done.returncode == 0, done.stderr
        (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rendered set: 60 pictures of each class, 96 x 72."""
    from corrosion_edge.render import write_dataset

    folder = tmp_path_factory.mktemp("rendered") / "set"
    folder.mkdir()
    write_dataset(folder, per_class=60, seed=3, size=(96, 72))
    return folder


@pytest.fixture(scope="session")
def tiny_run(rendered: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the tiny network on the rendered set: trained for real, in seconds."""
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    from corrosion_edge.trainer.recipe_file import read
    from corrosion_edge.trainer.train import Request, train

    out = tmp_path_factory.mktemp("runs") / "tiny"
    request = Request(
        data=rendered,
        recipe=read("scratch").changed(backbone="tiny", image_size=64, epochs=(20,)),
        weights="none",
    )
    train(request, out)
    return out


@pytest.fixture(scope="session")
def tiny_model(tiny_run: Path, rendered: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model file of the tiny run, with limits wide enough for a toy."""
    from corrosion_edge.quantize.drift import Limits
    from corrosion_edge.quantize.quantize import Request, quantize

    out = tmp_path_factory.mktemp("models") / "tiny.tflite"
    request = Request(
        run=tiny_run, data=rendered, out=out, calibration=40, seed=1, limits=Limits.none()
    )
    quantize(request)
    return out


@pytest.fixture
def disk_of(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts a real file system of a size, such as ``4m``; skips where none can be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(size: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        made = subprocess.run(command, capture_output=True, text=True)
        if made.returncode:
            pytest.skip(f"no file system can be mounted here: {made.stderr.strip()}")
        return folder

    yield mount
    if folder.is_mount():
        subprocess.run(["umount", folder], check=True)


@pytest.fixture
def small_disk(disk_of: Callable[[str], Path]) -> Path:
    """One of 200 kB."""
    return disk_of("200k")


@pytest.fixture(scope="session")
def certificates() -> Callable[..., tuple[Path, Path, Path]]:
    """Makes a CA and a certificate in a folder: ``certificates(folder, name)``."""
    return _certificates


def _certificates(folder: Path, name: str = "localhost") -> tuple[Path, Path, Path]:
    """A CA's certificate, one that it signed for ``name``, and the key to that: PEM files."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    def issued(subject, key, issuer, issuer_key, *extensions):
        now = datetime.datetime.now(datetime.UTC)
        made = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
        )  # fmt: skip
        for extension in extensions:
            made = made.add_extension(extension, critical=True)
        return made.sign(issuer_key, hashes.SHA256())

    def names(text):
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    def pem(path, content):
        path.write_bytes(content)
        return path

    folder.mkdir(exist_ok=True)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = issued(names("a CA"), ca_key, names("a CA"), ca_key,
                x509.BasicConstraints(ca=True, path_length=None))  # fmt: skip
    alternative = x509.SubjectAlternativeName(
        [x509.DNSName(name)] + ([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
                                if name == "localhost" else [])
    )  # fmt: skip
    one = issued(names(name), key, names("a CA"), ca_key, alternative)
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    private = key.private_bytes(encoding, form, serialization.NoEncryption())
    return (pem(folder / "ca.pem", ca.public_bytes(encoding)),
            pem(folder / "cert.pem", one.public_bytes(encoding)),
            pem(folder / "key.pem", private))  # fmt: skip
