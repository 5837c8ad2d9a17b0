"""Required against seen: what is marked, and what is put together."""

from __future__ import annotations

from typing import Any

import pytest

from reports.compliance.diff import Piece, compared, fields


def marked(line: tuple[Piece, ...]) -> str:
    """The line, what differs in braces."""
    return "".join(f"{{{text}}}" if differs else text for text, differs in line)


@pytest.mark.parametrize(
    ("required", "seen", "ought", "found"),
    [
        ("the value is [DONE]", '" [DONE]"', "the value is [DONE]", '"{ }[DONE]"'),
        ("'chatcmpl-1', as before", "'chatcmpl-3'", "'chatcmpl-{1}', as before", "'chatcmpl-{3}'"),
        ('"invalid_api_key" it', '"Invalid_key"', '"{i}nvalid_{api_}key" it', '"{I}nvalid_key"'),
        # Nothing in common: the whole literal, where it is plain which one is meant.
        ('code is "invalid", as said', '"no"', 'code is "{invalid}", as said', '"{no}"'),
        ('code is "invalid" or "bad"', '"no"', 'code is "invalid" or "bad"', '"no"'),
        # No literal, or nothing to hold against it.
        ("an object", "null", "an object", "null"),
        ("type 'insufficient_quota'", "null", "type 'insufficient_quota'", "null"),
        ("[DONE] occurs once", "[DONE]", "[DONE] occurs once", "[DONE]"),
        ('a string such as "x"', '""', 'a string such as "x"', '""'),
        ("", "", "", ""),
        ("'" * 9, "'", "'" * 9, "'"),
    ],
)  # fmt: skip
def test_what_differs_is_marked(required: str, seen: str, ought: str, found: str) -> None:
    one, other = compared(required, seen)
    assert (marked(one), marked(other)) == (ought, found)
    assert ("".join(text for text, _ in one), "".join(text for text, _ in other)) == (
        required,
        seen,
    )


def test_a_long_line_is_not_compared() -> None:
    one, other = compared(f'is "{"a" * 5000}"', f'"{"b" * 5000}"')
    assert not any(differs for _, differs in (*one, *other))


def finding(at: str, seen: str = "null", reply: str | None = None, **more: Any) -> dict[str, Any]:
    return {"required": "an object", "seen": seen, "at": at, "mild": False, "reply": reply, **more}


def test_the_same_at_several_places_is_one_field() -> None:
    (field,) = fields([finding(f"chunk {number} $.delta") for number in range(1, 7)])
    assert field.at == "chunk 1 $.delta"
    assert field.elsewhere == "and 5 more like it: chunk 2, chunk 3, chunk 4, …"


def test_places_of_one_name_are_told_by_their_number() -> None:
    (field,) = fields([finding("line 3")] * 4)
    assert field.elsewhere == "and 3 more like it"


def test_what_differs_in_an_id_or_a_time_is_alike_and_the_unnamed_are_counted() -> None:
    found = [
        finding("chunk 6 $.created", "1795665552 (and 6 more like it)"),
        finding("chunk 9 $.created", "1795665579 (and 16 more like it)"),
        finding("", '"chatcmpl-0c1d3e5f-19cf-4a27-b9eb-a9fbe39f2533"'),
        finding("", '"chatcmpl-28d0d6be-1288-4b44-974e-7534ae243191"'),
        finding("", '"chatcmpl-decade"'),  # a word: no digit
        finding("", "400"),
        finding("", "401"),
    ]
    made = [("".join(text for text, _ in one.seen), one.elsewhere) for one in fields(found)]
    assert made == [
        ("1795665552", "and 23 more like it: chunk 9, …"),
        ('"chatcmpl-0c1d3e5f-19cf-4a27-b9eb-a9fbe39f2533"', "and 1 more like it"),
        ('"chatcmpl-decade"', ""),
        ("400", ""),
        ("401", ""),
    ]


def test_what_differs_in_anything_but_the_number_stays_apart() -> None:
    found = [
        finding("chunk 1 $.a"),
        finding("chunk 1 $.b"),
        finding("chunk 2 $.a", "3"),
        finding("chunk 2 $.a", required="a list"),
        finding("$.choices[0]"),
        finding("$.choices[1]"),
    ]
    assert len(fields(found)) == 6


def test_the_finding_of_the_reply_that_is_shown_stands_first() -> None:
    found = [finding("line 3", reply="0" * 16), finding("line 9", reply="1" * 16)]
    assert [field.at for field in fields(found, "1" * 16)] == ["line 9"]
    assert [field.at for field in fields(found, None)] == ["line 3"]


def test_a_megabyte_is_shortened() -> None:
    (field,) = fields([finding("line 3", "x" * 1_000_000)])
    assert sum(len(text) for text, _ in field.seen) < 1000
