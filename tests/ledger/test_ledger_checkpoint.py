"""Checkpoints: notes of running logs verify, ours do, and nothing that differs by a character does."""

from __future__ import annotations

from base64 import b64decode, b64encode
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.ledger.checkpoint import Checkpoint, sign, verifier_key, verify
from hub.ledger.merkle import EMPTY_ROOT

ORIGIN = "hub.example/ledger"
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
VKEY = verifier_key(ORIGIN, KEY.public_key())
ROOT = sha256(b"some tree").digest()
NOTE = sign(ORIGIN, 20_852_163, ROOT, KEY)
NAMED_TYPE = ORIGIN.encode() + b"\n\x01"  # what a key id would be over, were there no key behind its type

# Published keys and checkpoints of two public logs: written by other software, verified by ours.
GO_VKEY = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
GO_NOTE = (
    "go.sum database tree\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— sum.golang.org"
    " Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
)
FIRMWARE_VKEY = "transparency.dev-aw-ftlog-ci-2+f77c6276+AZXqiaARpwF4MoNOxx46kuiIRjrML0PDTm+c7BLaAMt6"
FIRMWARE_ORIGIN = "transparency.dev/armored-witness/firmware_transparency/ci/2"
FIRMWARE_NOTE = (
    f"{FIRMWARE_ORIGIN}\n56\n7azctENRYLlBCBQ5OX2qxxIKCTOeCda1KfTwjdt0wdA=\n\n— transparency.dev-aw-ftlog-ci-2"
    " 93xidocoWXVph2jEuzW2oovU+IjU71+FeVGKtKXQknSla2HCvr6RYHRSdJfxpo4kj5geqxkjrDXcbpiSo7lK96X4Dgc=\n"
)


def signed(text: str, key: Ed25519PrivateKey = KEY, name: str = ORIGIN, key_id: bytes | None = None) -> str:
    """A note over any text, signed as that name; key_id: the right one unless said."""
    raw = b"\x01" + key.public_key().public_bytes_raw()
    key_id = key_id or sha256(name.encode() + b"\n" + raw).digest()[:4]
    return f"{text}\n— {name} {b64encode(key_id + key.sign(text.encode())).decode()}\n"


@pytest.mark.parametrize("vkey", [GO_VKEY, FIRMWARE_VKEY])
def test_verifier_keys_are_written_as_running_logs_publish_theirs(vkey):
    name, _, encoded = vkey.split("+", 2)
    public_key = Ed25519PublicKey.from_public_bytes(b64decode(encoded)[1:])
    assert verifier_key(name, public_key) == vkey


@pytest.mark.parametrize(
    ("note", "vkey", "origin", "size"),
    [
        (GO_NOTE, GO_VKEY, "go.sum database tree", 20_852_163),
        (FIRMWARE_NOTE, FIRMWARE_VKEY, FIRMWARE_ORIGIN, 56),
    ],
)
def test_checkpoints_of_running_logs_verify_for_their_origin_only(note, vkey, origin, size):
    found = verify(note, vkey, origin=origin)
    assert found is not None
    assert (found.origin, found.size) == (origin, size)
    assert verify(note, vkey) is None
    assert verify(note, VKEY, origin=origin) is None


def test_a_checkpoint_is_three_lines_and_a_signature_by_the_origin():
    text, signature = NOTE.split("\n\n")
    assert text.split("\n") == [ORIGIN, "20852163", b64encode(ROOT).decode()]
    assert signature.startswith(f"— {ORIGIN} ")
    assert signature.endswith("\n")


@given(size=st.integers(1, 2**63 - 1), root=st.binary(min_size=32, max_size=32))
def test_what_was_signed_is_what_is_verified(size, root):
    assert verify(sign(ORIGIN, size, root, KEY), VKEY) == Checkpoint(ORIGIN, size, root)


def test_the_empty_tree_can_be_signed_with_its_own_root_only():
    assert verify(sign(ORIGIN, 0, EMPTY_ROOT, KEY), VKEY) == Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    with pytest.raises(ValueError, match="no tree head"):
        sign(ORIGIN, 0, ROOT, KEY)
    with pytest.raises(ValueError, match="no tree head"):
        sign(ORIGIN, 5, EMPTY_ROOT, KEY)
    assert verify(signed(f"{ORIGIN}\n0\n{b64encode(ROOT).decode()}\n"), VKEY) is None


@pytest.mark.parametrize(
    ("size", "root"), [(-1, ROOT), (2**63, ROOT), (1, ROOT[:31]), (1, ROOT + b"\x00"), (1, b"")]
)
def test_what_is_no_tree_head_is_not_signed(size, root):
    with pytest.raises(ValueError, match="no tree head"):
        sign(ORIGIN, size, root, KEY)


@pytest.mark.parametrize(
    "origin", ["", "a b", "a+b", "a\nb", "a\u00a0b", "a\u2003b", "a\tb", "a\x00b", "a\ud800b"]
)
def test_an_origin_that_a_key_name_cannot_hold_is_an_error(origin):
    with pytest.raises(ValueError, match="cannot name a log"):
        sign(origin, 1, ROOT, KEY)
    with pytest.raises(ValueError, match="cannot name a log"):
        verifier_key(origin, KEY.public_key())


@settings(max_examples=300)
@given(data=st.data())
def test_a_note_with_any_character_changed_is_refused(data):
    at = data.draw(st.integers(0, len(NOTE) - 1))
    other = data.draw(st.characters().filter(lambda character: character != NOTE[at]))
    assert verify(NOTE[:at] + other + NOTE[at + 1 :], VKEY) is None


@given(st.integers(0, len(NOTE) - 1))
def test_a_note_cut_anywhere_is_refused(end):
    assert verify(NOTE[:end], VKEY) is None
    assert verify(NOTE[len(NOTE) - end :], VKEY) is None


@given(st.text())
def test_any_other_text_is_refused(text):
    assert verify(text, VKEY) is None
    assert verify(NOTE, text) is None


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n5\n",
        f"{ORIGIN}\n5\n{b64encode(ROOT).decode()}\n\n",
        f"{ORIGIN}\n5\n{b64encode(ROOT).decode()}\n\nextension\n",
        f"{ORIGIN}\n05\n{b64encode(ROOT).decode()}\n",
        f"{ORIGIN}\n+5\n{b64encode(ROOT).decode()}\n",
        f"{ORIGIN}\n-5\n{b64encode(ROOT).decode()}\n",
        f"{ORIGIN}\n 5\n{b64encode(ROOT).decode()}\n",
        f"{ORIGIN}\n٥\n{b64encode(ROOT).decode()}\n",
        f"{ORIGIN}\n{2**63}\n{b64encode(ROOT).decode()}\n",
        f"{ORIGIN}\n{'9' * 5000}\n{b64encode(ROOT).decode()}\n",
        f"{ORIGIN}\n5\n{b64encode(ROOT).decode().rstrip('=')}\n",
        f"{ORIGIN}\n5\n{b64encode(ROOT[:31]).decode()}\n",
        f"{ORIGIN}\n5\n{b64encode(ROOT).decode()} \n",
        f"{ORIGIN}\n5\n{ROOT.hex()}\n",
        f"\n5\n{b64encode(ROOT).decode()}\n",
        f"other.example/ledger\n5\n{b64encode(ROOT).decode()}\n",
        f"{ORIGIN}\n5\n{b64encode(ROOT).decode()}\nextension\twith a tab\n",
        f"{ORIGIN}\n5\n{b64encode(ROOT).decode()}\nextension\x00\n",
        f"{ORIGIN}\r\n5\r\n{b64encode(ROOT).decode()}\r\n",
    ],
)
def test_a_signed_text_that_is_no_checkpoint_of_this_log_is_refused(text):
    assert verify(signed(text), VKEY) is None


def test_extension_lines_are_allowed_and_opaque():
    text = f"{ORIGIN}\n5\n{b64encode(ROOT).decode()}\nanything at all\n"
    assert verify(signed(text), VKEY) == Checkpoint(ORIGIN, 5, ROOT)


def test_signatures_of_witnesses_and_other_keys_are_passed_over():
    text = NOTE.split("\n\n")[0] + "\n"
    foreign = [signed(text, OTHER_KEY, name).split("\n\n")[1] for name in (ORIGIN, "witness.example/w1")]
    witness = f"— witness.example/w2 {b64encode(b'idid' + b's' * 72).decode()}\n"
    own = NOTE.split("\n\n")[1]
    full = f"{text}\n{foreign[0]}{foreign[1]}{own}{witness * 16}"
    assert verify(full, VKEY) == Checkpoint(ORIGIN, 20_852_163, ROOT)
    assert verify(f"{text}\n{''.join(foreign)}{witness}", VKEY) is None


def test_one_false_signature_under_the_logs_own_key_id_condemns_the_note():
    text, own = NOTE.split("\n\n")
    raw = b64decode(own.split(" ")[2])
    false = f"— {ORIGIN} {b64encode(raw[:4] + b'f' * 64).decode()}\n"
    assert verify(f"{text}\n\n{own}{own}", VKEY) is not None
    assert verify(f"{text}\n\n{own}{false}", VKEY) is None
    assert verify(f"{text}\n\n{false}{own}", VKEY) is None


@pytest.mark.parametrize(
    "tail",
    [
        "\n",
        "garbage\n",
        f"- {ORIGIN} AAAAAAA=\n",
        f"— {ORIGIN}\n",
        f"— {ORIGIN} A=\n",
        f"— {ORIGIN} AAAAAA==\n",
        "—  AAAAAAA=\n",
        "— a+b AAAAAAA=\n",
        "— a\u00a0b AAAAAAA=\n",
        "— a\ud800b AAAAAAA=\n",
    ],
)
def test_a_malformed_signature_line_condemns_the_note(tail):
    assert verify(NOTE, VKEY) is not None
    assert verify(NOTE + "— witness.example/w1 AAAAAAA=\n", VKEY) is not None
    assert verify(NOTE + tail, VKEY) is None


def test_a_text_that_utf_8_cannot_hold_is_refused_without_an_exception():
    assert verify(NOTE.replace("\n\n", "\n\ud800\n\n", 1), VKEY) is None
    assert verify(NOTE, VKEY.replace("hub", "\ud800", 1)) is None


def test_a_note_beyond_the_limit_is_refused_unread():
    text = NOTE.split("\n\n")[0]
    padded = signed(f"{text}\n{'e' * 270_000}\n")
    assert verify(padded, VKEY) is None


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        ORIGIN,
        VKEY.upper(),
        VKEY + "\n",
        VKEY[:-1],
        VKEY.replace("+", " ", 1),
        f"other.example/ledger+{VKEY.split('+', 1)[1]}",
        f"{ORIGIN}+00000000+{VKEY.split('+', 2)[2]}",
        f"{ORIGIN}+{sha256(NAMED_TYPE).hexdigest()[:8]}+AQ==",
    ],
)
def test_a_malformed_verifier_key_trusts_nothing(vkey):
    assert verify(NOTE, VKEY) is not None
    assert verify(NOTE, vkey) is None


def test_the_same_key_bytes_under_another_type_trust_nothing():
    raw = b"\x04" + KEY.public_key().public_bytes_raw()
    key_id = sha256(ORIGIN.encode() + b"\n" + raw).digest()[:4]
    note = signed(NOTE.split("\n\n")[0] + "\n", key_id=key_id)
    assert verify(note, f"{ORIGIN}+{key_id.hex()}+{b64encode(raw).decode()}") is None


def test_a_key_id_that_does_not_follow_from_the_key_trusts_nothing():
    note = signed(NOTE.split("\n\n")[0] + "\n", key_id=b"fake")
    assert verify(note, f"{ORIGIN}+{b'fake'.hex()}+{VKEY.split('+', 2)[2]}") is None


def test_bytes_have_one_spelling_in_base64():
    assert NOTE.endswith("=\n")
    last = NOTE[-3]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    sibling = alphabet[alphabet.index(last) ^ 1]  # Differs in a bit that is no part of the bytes.
    assert b64decode(NOTE.split(" ")[-1]) == b64decode(f"{NOTE[:-3]}{sibling}=".split(" ")[-1])
    assert verify(f"{NOTE[:-3]}{sibling}=\n", VKEY) is None
