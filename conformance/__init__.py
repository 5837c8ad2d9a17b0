"""Conformance of an OpenAI-compatible chat-completions endpoint, as pytest checks.

The map (design laws in CONTRIBUTING.md):

| here | is |
|---|---|
| `requirements/*.toml`, `requirements.py` | the catalogue: every clause, its level and source |
| `test_*.py` | the checks, by chapter of the catalogue |
| `sent.py`, `battery.py`, `invalid.py`, `prompts.py`, `credentials.py` | what is sent |
| `chat.py`, `guards.py`, `expect.py`, `outcomes.py` | the vocabulary in which checks are written |
| `parameters.py` | is a parameter taken, and refused where it is wrong? |
| `patience.py`, `endless.py`, `lost.py` | when does a reply count? 429, 5xx, no end, lost replies |
| `again.py` | is a breach steady, or does it come and go? it is asked again |
| `forms.py` | answers in a form that the request gave, with or without log probabilities |
| `recall.py` | does a model give back what a message told it? a control decides |
| `control.py` | what does a parameter do? a count, and the same call without it |
| `probes.py`, `pictures.py` | what is a model capable of? pictures, sound, files |
| `concurrency.py`, `limits.py` | calls at once; refusals for want of rate, credit or permission |
| `libraries.py`, `driving.py`, `encounter.py` | client libraries: run, and held against the bytes |
| `long_input.py` | how much does a model take? prompts of a known size |
| `clients/` | the drivers of client libraries: scripts, each run in a process of its own |
| `generation/`, `strategies.py`, `corpus.py` | requests that Hypothesis draws; what they find |
| `protocol/` | bytes and JSON in, findings out; no I/O, standard library only |
| `wire/` | the only socket of the checker |
| `target/` | what the target documents, and what it can do |
| `plugin.py`, `options.py`, `settings.py` | the pytest plugin: inert in runs that are not ours |
| `run.py` | the hooks of a run of ours; what they call: |
| `session`, `preflight`, `embedded` | the target of the run |
| `collecting`, `standing` | which checks run, in what order; does a model answer at all? |
| `items`, `recording`, `dressing` | from a check to its record and its outcome |
| `parts`, `journal`, `terms`, `resuming` | what is kept as a run goes, and going on from it |
| `bounds`, `budget` | budgets and rate; what calls cost in tokens |
| `asked`, `signals` | a command line before it is parsed; Ctrl-C and SIGTERM |
| `workers` | what xdist's controller tells its workers, and hears of them |
| `progress`, `closing`, `planning`, `configuration`, `artefacts` | what a run shows and writes |
| `checks.py`, `listing.py` | which requirements are judged, read off the checks |
| `reference/` | the embedded server and its faults; shares no code with the checker |

The import law: a package imports only what stands right of it, and `tests/test_import_law.py`
holds it to that:

    checks -> chat, guards, expect -> target -> wire -> protocol -> standard library
    reference -> standard library and h11
"""

__version__ = "0.1.0"
