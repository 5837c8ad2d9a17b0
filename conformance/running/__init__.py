"""A run, from the command line to its files. `conformance.plugin` is where pytest comes in.

The laws: a run that is not ours is not touched; what was recorded is never lost; what is decided is
decided by pure functions of plain data, and the hooks of `run` only call them.

| module | does |
|---|---|
| `asked`, `signals` | a command line before it is parsed; Ctrl-C and SIGTERM |
| `run` | the hooks of a run of ours; it calls what follows |
| `session`, `preflight`, `embedded` | the target of the run: found, tried, or started |
| `collecting`, `items` | which checks run, in what order, and what each is about |
| `recording`, `dressing` | from a check to its record, and to pytest's report |
| `parts`, `journal`, `terms`, `resuming` | what is kept as a run goes, and going on from it |
| `planning`, `budget` | what calls cost: before the run, and while it goes |
| `workers` | what xdist's controller tells its workers, and hears of them |
| `progress`, `closing` | what the terminal shows |
| `configuration`, `artefacts` | what the results say of the run, and what is written where |
| `settings`, `bounds` | what the options say, read and checked, with the bounds of numbers |
"""
