"""Keys and signatures."""

import dataclasses
import json
import os
import stat
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("cryptography", reason="cryptography is not installed")

from corrosion_edge.bundle import Bundle
from corrosion_edge.errors import BundleError, KeyFileError, OutputError, SignatureError
from corrosion_edge.modelfile import signature
from corrosion_edge.modelfile.container import Container
from corrosion_edge.modelfile.keys import PrivateKey, PublicKey, public_path

NETWORK = b"\x1c\0\0\0TFL3" + bytes(range(50))

# RFC 8032, section 7.1, test 3
SECRET = bytes.fromhex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7")
PUBLIC = bytes.fromhex("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025")
SIGNATURE = bytes.fromhex(
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
)


def key(secret: bytes = SECRET) -> PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return PrivateKey(Ed25519PrivateKey.from_private_bytes(secret))


def bundle() -> Bundle:
    return Bundle.seal(NETWORK, {}, name="test", outputs={"scores": "scores"})


def signed(signer: PrivateKey | None = None) -> bytes:
    file = Container.from_bytes(bundle().to_bytes())
    return signature.sign(file, signer or key()).to_bytes()


def test_the_mathematics_is_that_of_the_rfc():
    assert key().public == PublicKey(PUBLIC)
    assert key().sign(bytes.fromhex("af82")) == SIGNATURE
    assert PublicKey(PUBLIC).accepts(SIGNATURE, bytes.fromhex("af82"))
    assert not PublicKey(PUBLIC).accepts(SIGNATURE, bytes.fromhex("af83"))


def test_a_signed_file_is_the_same_model_and_any_key_but_its_own_is_refused():
    assert Bundle.from_bytes(signed(), PublicKey(PUBLIC)) == bundle()
    assert Bundle.from_bytes(signed()) == bundle()
    other = key(bytes(32)).public
    with pytest.raises(SignatureError, match="another key"):
        Bundle.from_bytes(signed(), other)
    with pytest.raises(SignatureError, match="not signed"):
        Bundle.from_bytes(bundle().to_bytes(), other)


def test_signing_is_deterministic_and_can_be_repeated():
    assert signed() == signed()
    again = signature.sign(Container.from_bytes(signed()), key()).to_bytes()
    assert again == signed()
    other = signature.sign(Container.from_bytes(signed()), key(bytes(32)))
    assert [name for name, _ in other.members].count(signature.SIGNATURE_NAME) == 1
    signature.check(other, key(bytes(32)).public)


def test_what_is_signed_is_the_prefix_and_the_whole_unsigned_file():
    found = json.loads(dict(Container.from_bytes(signed()).members)["signature.json"])
    message = b"corrosion-edge model file, signature format 1\0" + bundle().to_bytes()
    assert PublicKey(PUBLIC).accepts(bytes.fromhex(found["signature"]), message)
    assert not PublicKey(PUBLIC).accepts(bytes.fromhex(found["signature"]), bundle().to_bytes())


def test_no_byte_of_a_signed_file_can_be_changed():
    content = signed()
    for place in range(len(content)):
        for flip in (0x01, 0x20, 0x80):  # 0x20 turns a into A
            changed = bytearray(content)
            changed[place] ^= flip
            with pytest.raises(BundleError):
                Bundle.from_bytes(bytes(changed), PublicKey(PUBLIC))


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=5), st.floats(0, 1))
def test_no_content_can_be_changed_and_resealed(name, threshold):
    """An attacker who makes a right file of other content cannot reuse the signature."""
    other = bundle().with_fields(name=f"x{name.encode().hex()}", threshold=threshold)
    member = dict(Container.from_bytes(signed()).members)[signature.SIGNATURE_NAME]
    file = Container.from_bytes(other.to_bytes())
    forged = Container(file.model, (*file.members, (signature.SIGNATURE_NAME, member)))
    assert Bundle.from_bytes(forged.to_bytes()) == other
    with pytest.raises(SignatureError, match="changed after it was signed"):
        Bundle.from_bytes(forged.to_bytes(), PublicKey(PUBLIC))


def test_the_other_signature_of_the_same_message_is_refused():
    """S + L is as good as S to a careless verifier (RFC 8032, section 5.1.7)."""
    order = 2**252 + 27742317777372353535851937790883648493
    file = Container.from_bytes(signed())
    found = signature.find(file)
    assert found is not None
    raw = bytes.fromhex(found.signature)
    twin = raw[:32] + (int.from_bytes(raw[32:], "little") + order).to_bytes(32, "little")
    made = dataclasses.replace(found, signature=twin.hex()).to_bytes()
    members = (*signature.unsigned(file).members, (signature.SIGNATURE_NAME, made))
    with pytest.raises(SignatureError):
        signature.check(Container(file.model, members), PublicKey(PUBLIC))


def test_the_signature_is_the_last_member():
    file = Container.from_bytes(signed())
    turned = Container(file.model, (file.members[-1], *file.members[:-1]))
    with pytest.raises(BundleError):
        Bundle.from_bytes(turned.to_bytes(), PublicKey(PUBLIC))


@pytest.mark.parametrize(
    "change",
    [{"format": 2}, {"format": True}, {"algorithm": "none"}, {"key": "A" * 64}, {"key": 3},
     {"signature": "ab"}, {"signature": ""}, {"signature": None}, {"more": 1}],
)  # fmt: skip
def test_a_signature_of_another_form_is_refused_even_unasked(change):
    file = Container.from_bytes(signed())
    fields = json.loads(file.members[-1][1]) | change
    text = (json.dumps(fields, indent=1) + "\n").encode()
    members = (*file.members[:-1], (signature.SIGNATURE_NAME, text))
    with pytest.raises(SignatureError):
        Bundle.from_bytes(Container(file.model, members).to_bytes())


def test_files_of_keys(tmp_path):
    path = tmp_path / "key"
    key().save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert PublicKey.load(public_path(path)) == PublicKey(PUBLIC)
    loaded = PrivateKey.load(path, lambda: pytest.fail("no passphrase is needed"))
    assert loaded.sign(bytes.fromhex("af82")) == SIGNATURE
    assert "c5aa8d" not in repr(loaded).lower()


def test_the_umask_opens_no_private_key(tmp_path):
    before = os.umask(0)
    try:
        key().save(tmp_path / "key")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


def test_openssl_reads_them(tmp_path):
    key().save(tmp_path / "key")
    command = ["openssl", "pkey", "-in", tmp_path / "key", "-pubout"]
    try:
        done = subprocess.run(command, capture_output=True, check=True)
    except FileNotFoundError:
        pytest.skip("no openssl on this machine")
    assert done.stdout == (tmp_path / "key.pub").read_bytes()


def test_an_encrypted_key_needs_its_passphrase(tmp_path):
    key().save(tmp_path / "key", "right")
    assert PrivateKey.load(tmp_path / "key", lambda: "right").public == PublicKey(PUBLIC)
    for wrong in ("wrong", ""):
        with pytest.raises(KeyFileError, match="passphrase"):
            PrivateKey.load(tmp_path / "key", lambda wrong=wrong: wrong)


def test_nothing_is_overwritten(tmp_path):
    for name in ("key", "key.pub"):
        (tmp_path / name).write_text("mine")
        with pytest.raises(OutputError, match="exists already"):
            key().save(tmp_path / "key")
        assert [p.name for p in tmp_path.iterdir()] == [name]
        assert (tmp_path / name).read_text() == "mine"
        (tmp_path / name).unlink()
    (tmp_path / "key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="exists already"):
        key().save(tmp_path / "key")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o666])
def test_a_private_key_that_others_can_use_is_refused(tmp_path, mode):
    key().save(tmp_path / "key")
    (tmp_path / "key").chmod(mode)
    with pytest.raises(KeyFileError, match="run: chmod 600"):
        PrivateKey.load(tmp_path / "key", str)


def test_files_that_are_no_keys(tmp_path):
    (tmp_path / "text").write_text("no key")
    (tmp_path / "text").chmod(0o600)
    (tmp_path / "rsa.pub").write_bytes(_rsa())
    key().save(tmp_path / "key")
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in ("text", "rsa.pub", "key", "missing", "pipe", "."):
        with pytest.raises(KeyFileError):
            PublicKey.load(tmp_path / name)
    for name in ("text", "key.pub", "missing", "pipe", "."):
        with pytest.raises(KeyFileError):
            PrivateKey.load(tmp_path / name, str)


def _rsa() -> bytes:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    return (
        rsa.generate_private_key(65537, 2048)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
