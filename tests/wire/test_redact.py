"""Secrets are masked in every spelling, and a mask changes no length."""

import base64
import gzip
import html
import json
import re
import zlib
from collections.abc import Callable
from itertools import zip_longest
from urllib.parse import quote, quote_plus

import pytest

from conformance.wire.redact import SECRET_HEADERS, Redactor, mask

PLAIN = "sk-canary-0123456789abcdef"
ODD = "k/ey+with=odd \"chars\" & <tags> 'q'\\"
SECRETS = [PLAIN, ODD, "f0ur", "päss-wörd-ß"]

SPELLINGS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "URL": lambda s: quote(s, safe=""),
    "URL, slashes kept": quote,
    "URL, lower case": lambda s: quote(s, safe="").replace("%2F", "%2f").replace("%2B", "%2b"),
    "URL, every octet": lambda s: "".join(f"%{octet:02X}" for octet in s.encode()),
    "form": quote_plus,
    "JSON": lambda s: json.dumps(s)[1:-1],
    "JSON, raw UTF-8": lambda s: json.dumps(s, ensure_ascii=False)[1:-1],
    "JSON, slashes escaped": lambda s: json.dumps(s)[1:-1].replace("/", "\\/"),
    "JSON, every character": lambda s: "".join(f"\\u{ord(c):04x}" for c in s),
    "JSON, upper case": lambda s: "".join(f"\\u{ord(c):04X}" for c in s),
    "JSON, some characters": lambda s: s[:2].replace("k", "\\u006b") + json.dumps(s[2:])[1:-1],
    "Python": lambda s: repr(s + "'\"")[1:-4],
    "HTML": html.escape,
    "HTML, decimal": lambda s: "".join(f"&#{ord(c)};" for c in s),
    "URL of a URL of a URL": lambda s: quote(quote(quote(s, safe=""), safe=""), safe=""),
    "JSON in JSON": lambda s: json.dumps(json.dumps(s)[1:-1])[1:-1],
    "JSON in JSON in JSON": lambda s: json.dumps(json.dumps(json.dumps(s)[1:-1])[1:-1])[1:-1],
    "Python, every octet": lambda s: "".join(f"\\x{ord(c):02x}" for c in s),
    "HTML of HTML": lambda s: html.escape(html.escape(s)),
    "hexadecimal": lambda s: s.encode().hex() if len(s) > 4 else s,
    "hexadecimal, apart": lambda s: s.encode().hex(":").upper() if len(s) > 4 else s,
    "a list of numbers": lambda s: ", ".join(map(str, s.encode())) if len(s) > 4 else s,
    "HTML, hexadecimal": lambda s: "".join(f"&#x{ord(c):X};" for c in s),
}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_every_spelling_is_masked(secret: str, spell: Callable[[str], str]) -> None:
    spelled = spell(secret)
    text = f'before "{spelled}" after'
    redactor = Redactor([secret])
    assert redactor.text(text) == f'before "{mask(len(spelled))}" after'
    octets = redactor.octets(text.encode())
    assert octets == f'before "{mask(len(spelled.encode()))}" after'.encode()


@pytest.mark.parametrize("lead", ["", "a", "ab", "abc", "Bearer ", "user:", "x:yz"])
@pytest.mark.parametrize("tail", ["", "}", "}}", "}}}"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_is_masked_at_every_alignment(
    lead: str, tail: str, encode: Callable[[bytes], bytes]
) -> None:
    coded = encode((lead + PLAIN + tail).encode()).decode()
    found = Redactor([PLAIN]).text(f"token={coded}")
    assert len(found) == len(f"token={coded}")
    visible = re.sub(r"\[redacted\]\**", "", found.removeprefix("token="))
    # Of the key only the characters that share bits with a neighbour are left.
    assert len(visible) <= len(base64.b64encode(lead.encode())) + len(tail) * 4 // 3 + 4
    assert len(found) - len(visible) > len(PLAIN)


@pytest.mark.parametrize(
    "spell", [str, lambda s: quote(s, safe=""), lambda s: s.replace("/", "\\/")]
)
def test_base64_is_masked_though_it_is_spelled_in_a_url_or_in_json(
    spell: Callable[[str], str],
) -> None:
    secret = "\xff\xfe>?" * 9  # its Base64 is full of + and /
    coded = base64.b64encode(secret.encode("utf-8")).decode()
    assert "/" in coded
    spelled = spell(coded)
    assert Redactor([secret]).text(spelled)[:-4] == mask(len(spelled))[:-4]


@pytest.mark.parametrize(
    ("piece", "masked"),
    [(PLAIN[:16], True), (PLAIN[3:19], True), (PLAIN[-17:], True), (PLAIN[5:20], False)],
)
def test_a_piece_of_sixteen_characters_is_masked_wherever_it_was_cut(
    piece: str, masked: bool
) -> None:
    wanted = mask(len(piece)) if masked else piece
    redactor = Redactor([PLAIN])
    assert redactor.text(f"<{piece}|{piece}>") == f"<{wanted}|{wanted}>"
    assert redactor.octets(f"<{piece}|{piece}>".encode()) == f"<{wanted}|{wanted}>".encode()


def test_a_short_secret_has_no_pieces() -> None:
    assert Redactor(["sk-reference-key"]).text("sk-reference-ke") == "sk-reference-ke"


def stream(*pieces: str, choice: int = 0, member: str = "content") -> bytes:
    """Events that share a text out."""
    deltas = [{"index": choice, "delta": {member: piece}} for piece in pieces]
    return b"".join(b"data: %b\n\n" % json.dumps({"choices": [d]}).encode() for d in deltas)


def told(body: bytes, choice: int = 0, member: str = "content") -> str:
    """What a reader of a stream puts together."""
    events = [json.loads(line[6:]) for line in body.splitlines() if line]
    choices = [event["choices"][0] for event in events]
    return "".join(c["delta"].get(member, "") for c in choices if c["index"] == choice)


@pytest.mark.parametrize("secret", [PLAIN, ODD])
@pytest.mark.parametrize("step", [1, 3, 20])
def test_a_secret_shared_out_over_events_cannot_be_put_together(secret: str, step: int) -> None:
    pieces = [secret[at : at + step] for at in range(0, len(secret), step)]
    mine = stream("ab", *pieces, "yz")
    other = stream(*("other" for _ in pieces), "end", choice=1)
    lines = (body.splitlines(keepends=True) for body in (mine, other))
    mixed = b"".join(one for pair in zip_longest(*lines, fillvalue=b"") for one in pair)
    for body in (mine, mixed):
        found = Redactor([secret]).octets(body)
        assert len(found) == len(body)
        assert secret not in told(found)
        assert re.fullmatch(r"ab\[redacted\]\**yz", told(found)) or body is mixed
    assert told(Redactor([secret]).octets(mixed), choice=1) == told(mixed, choice=1)


def test_a_secret_shared_out_over_the_tokens_of_a_document_is_masked() -> None:
    tokens = [{"token": PLAIN[at : at + 2], "logprob": -1} for at in range(0, len(PLAIN), 2)]
    found = json.loads(Redactor([PLAIN]).octets(json.dumps({"content": tokens}).encode()))
    assert "".join(one["token"] for one in found["content"]) == mask(len(PLAIN))


def test_texts_that_do_not_belong_together_are_not_put_together() -> None:
    body = json.dumps({"a": PLAIN[:9], "b": PLAIN[9:]}).encode()
    assert Redactor([PLAIN]).octets(body).count(b"redacted") == 1  # the longer half, as a piece


@pytest.mark.parametrize(
    "value", ["Bearer sk-canary-0123456789", "Basic dXNlcjpzay1jYW5hcnktMDEyMzQ1Njc4OQ=="]
)
def test_what_is_secret_in_a_header_is_masked_without_the_rest(value: str) -> None:
    assert Redactor([value]).text("sk-canary-0123456789") == mask(20)
    assert Redactor([value]).text(f"X: {value}") == f"X: {mask(len(value))}"


def test_a_tree_that_a_target_made_is_masked_in_its_names_too() -> None:
    found = Redactor([PLAIN]).tree({f"a{PLAIN}": [{PLAIN: 1}]}, names=True)
    assert found == {f"a{mask(len(PLAIN))}": [{mask(len(PLAIN)): 1}]}


@pytest.mark.parametrize(
    "octets",
    [
        *(b"\\", b"&#x0", b"%25", b"&amp;", b"sk-canar", b'"a":"b"', b'"a":"\\"', b"data: "),
        *(b'data: {"index": ', b"sk-canary-012345"),
    ],
)
def test_hostile_octets_cost_no_more_than_their_length(octets: bytes) -> None:
    # Quadratic time would be an hour.
    found = Redactor([PLAIN, ODD]).octets(octets * (300_000 // len(octets)))
    assert len(found) == 300_000 // len(octets) * len(octets)


@pytest.mark.parametrize("length", [0, 1, 4, 10, 11, 200])
def test_a_mask_is_as_long_as_what_it_covers(length: int) -> None:
    assert len(mask(length)) == length


def test_a_body_keeps_its_length_and_the_offsets_of_the_rest() -> None:
    body = f'{{"a":"{PLAIN}","b":"é{PLAIN}","c":1}}'.encode()
    found = Redactor([PLAIN]).octets(body)
    assert len(found) == len(body)
    assert found.index(b'"c"') == body.index(b'"c"')
    assert json.loads(found)["c"] == 1


@pytest.mark.parametrize("short", ["", "a", "abc"])
def test_short_secrets_do_not_blot_out_ordinary_text(short: str) -> None:
    assert Redactor([short]).text("abcabc") == "abcabc"
    assert Redactor([short]).octets(b"abcabc") == b"abcabc"


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_a_body_in_which_a_secret_is_packed_is_not_shown(pack: Callable[[bytes], bytes]) -> None:
    body = pack(json.dumps({"error": f"bad key {PLAIN}"}).encode())
    redactor = Redactor([PLAIN])
    assert redactor.octets(body) == body  # what is judged
    assert redactor.unpackable(body) == mask(len(body)).encode()
    assert redactor.unpackable(body[:-9]) == mask(len(body) - 9).encode()  # cut off
    other = pack(b"nothing to hide")
    assert redactor.unpackable(other) == other
    assert Redactor().unpackable(body) == body


def test_without_secrets_nothing_changes() -> None:
    assert Redactor().octets(bytes(range(256))) == bytes(range(256))


def test_the_longer_of_two_secrets_is_masked_whole() -> None:
    redactor = Redactor(["sk-abcd", "sk-abcd-efgh"])
    assert redactor.text("sk-abcd-efgh sk-abcd") == f"{mask(12)} {mask(7)}"


def test_octets_that_are_not_utf8_survive_around_a_secret() -> None:
    found = Redactor([PLAIN]).octets(b"\xff\x00" + PLAIN.encode() + b"\xfe")
    assert found == b"\xff\x00" + mask(len(PLAIN)).encode() + b"\xfe"


@pytest.mark.parametrize("name", sorted(SECRET_HEADERS))
def test_credential_headers_are_masked_whatever_they_hold(name: str) -> None:
    pairs = [(name.title(), "anything"), ("Content-Type", "text/plain")]
    assert Redactor().headers(pairs) == ((name.title(), mask(8)), pairs[1])


def test_headers_are_masked_by_value_and_in_their_names() -> None:
    found = Redactor([PLAIN]).headers([("X-Echo", f"key={PLAIN}"), (f"X-{PLAIN}", "1")])
    assert PLAIN not in repr(found)
    assert [len(value) for _, value in found] == [len(PLAIN) + 4, 1]


def test_a_tree_is_masked_in_its_values_and_keeps_its_fields() -> None:
    tree = {"t-1": ["t-1t", {"at": f"a {PLAIN}"}, 1, None, True], "n": ("t-1t",)}
    found = Redactor([PLAIN, "t-1t"]).tree(tree)
    masked = {"at": f"a {mask(len(PLAIN))}"}
    assert found == {"t-1": ["[red", masked, 1, None, True], "n": ["[red"]}
