"""Everything that a target can send, as a table: each row one tiny function that writes octets.

Laws
----
* A function speaks octets on an accepted connection, after one request was read from it (`Wire`);
  nothing repairs what it is to get wrong.
* Its docstring is the row's line in `docs/hostile.md`; its decorator says how the suite and the
  load generator are to end.
* A gigabyte is a gigabyte. What is large is sent piece by piece, so that the server of the tests
  stays small.

Theory
------
A target is hostile in one of three scopes: to every request; to chat requests alone, so that it can
list its models; to streams alone, so that its plain answers are in order. The wider the scope, the
sooner a run ends; the narrower, the further into the suite the octets get. What the target does
with a connection rather than with a reply can only be tried in the widest.

An end (`End`) is an exit status of the suite and words that its output must hold. Of the load
generator the row names the kind of failure as which every request is counted.

Map
---
wire           an accepted connection; right answers, of which the wrong ones are made
row            a row, and how runs end
without_end    replies that do not end
too_much       gigabytes, a million events, bombs
text           JSON and characters
framing        what HTTP forbids, or leaves to be lied about
connections    resets, half-closes, other protocols, certificates
"""

# These add the rows, in this order.
from . import without_end, too_much, text, framing, connections  # noqa: F401, I001 - they add rows
from .row import TARGETS

__all__ = ["TARGETS"]
