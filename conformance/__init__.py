"""Conformance of an OpenAI-compatible chat-completions endpoint, as pytest checks.

The map; CONTRIBUTING.md has the laws, and says where the next check, request or fault goes.

What is judged:

| module | holds |
|---|---|
| `requirements/*.toml`, `requirements` | the catalogue: every clause, its level and source |
| `test_*` | the checks, by chapter of the catalogue |
| `checks`, `listing` | which requirements are judged, read off the checks; `--requirements` |

What checks are written with:

| module | holds |
|---|---|
| `chat` | one model of the target: it is asked, and equal questions share their answer |
| `guards`, `expect`, `outcomes` | what must hold first; what is blamed; how a check ends |
| `generation/`, `strategies`, `corpus` | requests that Hypothesis draws; what they find |
| `asking/` | what is asked: the requests, and the questions that several checks have |
| `clients/`, `libraries`, `driving`, `encounter` | do client libraries get what the bytes say? |

When a reply counts:

| module | decides |
|---|---|
| `standing` | does a model answer at all? |
| `patience`, `endless`, `lost` | 429, 5xx and lost replies; replies without end |
| `again` | is a breach steady, or does it come and go? |

A run, from the command line to its files:

| module | does |
|---|---|
| `plugin`, `options` | the pytest plugin, inert in runs that are not ours, and its options |
| `running/` | all that a run does, a map of its own |

What all of this stands on:

| package | is |
|---|---|
| `target/` | what the target documents, and what it can do |
| `wire/` | the only socket of the checker |
| `protocol/` | bytes and JSON in, findings out; no I/O, standard library only |
| `reference/` | the embedded server and its faults; shares no code with the checker |

The import law: a package imports only what stands right of it, and `tests/test_import_law.py`
holds it to that:

    checks -> chat, guards, expect -> target -> wire -> protocol -> standard library
    reference -> standard library and h11
"""

__version__ = "0.1.0"
