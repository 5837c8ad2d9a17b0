"""Secrets are masked in every spelling, and a mask changes no length."""

import base64
import html
import json
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from conformance.wire.redact import SECRET_HEADERS, Redactor, mask

PLAIN = "sk-canary-0123456789abcdef"
ODD = "k/ey+with=odd \"chars\" & <tags> 'q'\\"
SECRETS = [PLAIN, ODD, "four", "päss-wörd-ß"]

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
    tree = {"text": ["text", {"at": f"a {PLAIN}"}, 1, None, True], "n": ("text",)}
    found = Redactor([PLAIN, "text"]).tree(tree)
    masked = {"at": f"a {mask(len(PLAIN))}"}
    assert found == {"text": ["[red", masked, 1, None, True], "n": ["[red"]}
