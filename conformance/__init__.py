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
| `sent`, `prompts`, `credentials` | bodies, words and keys that are sent |
| `battery`, `invalid` | the standing requests, valid and invalid |
| `generation/`, `strategies`, `corpus` | requests that Hypothesis draws; what they find |

What several checks want to know of a target:

| module | asks |
|---|---|
| `parameters` | is a parameter taken, and refused where it is wrong? |
| `control` | what does it do? a count, and the same call without it |
| `forms` | is the answer in the form that was asked for, with or without log probabilities? |
| `recall` | does what the model was told come back? a control decides |
| `served` | which models are listed, and what is one of them, retrieved? |
| `probes`, `pictures` | what is the model capable of? pictures, sound, files |
| `long_input` | how much does it take? prompts of a known size |
| `concurrency` | what becomes of calls that are made at once? |
| `limits` | how does it refuse for want of rate, credit or permission? |
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
| `asked`, `signals` | a command line before it is parsed; Ctrl-C and SIGTERM |
| `plugin`, `options`, `settings`, `bounds` | the pytest plugin, inert in runs that are not ours |
| `run` | the hooks of a run of ours; it calls what follows |
| `session`, `preflight`, `embedded` | the target of the run: found, tried, or started |
| `collecting`, `items` | which checks run, in what order, and what each is about |
| `recording`, `dressing` | from a check to its record, and to pytest's report |
| `parts`, `journal`, `terms`, `resuming` | what is kept as a run goes, and going on from it |
| `planning`, `budget` | what calls cost: before the run, and while it goes |
| `workers` | what xdist's controller tells its workers, and hears of them |
| `progress`, `closing` | what the terminal shows |
| `configuration`, `artefacts` | what the results say of the run, and what is written where |

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
