"""Credentials that are not the target's key: each one is to be refused.

The law: a key made here is random, so that no target knows it, and no secret: it may be shown.
"""

import uuid
from collections.abc import Mapping

WRONG_KEY = f"sk-wrong-{uuid.uuid4().hex}"[:40]
"""Forty characters, new in every process: what CC-AUTH-010 looks for in a reply."""

MALFORMED: Mapping[str, str] = {
    "an empty token": "Bearer",
    "another scheme": "Basic dXNlcjpwYXNz",
    "no scheme": WRONG_KEY,
}
"""`Authorization` values that are well-formed HTTP and no Bearer credentials (CC-AUTH-006)."""

REFUSED_BY_HTTP: Mapping[str, str] = {
    "a token of 8 kB": "Bearer " + "k" * 8192,
}
"""Values that the HTTP layer may refuse (400 or 431) before any envelope can be written."""
