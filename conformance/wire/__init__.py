"""The only socket of the conformance side: a request goes out, an exchange comes back.

The laws:

1. Nothing is judged here. A reply that breaks every rule is still an `Exchange`.
2. No call raises for what a target does: refused, reset, hung, truncated become `Failure`.
3. The key enters at the socket and is masked where the reply is recorded; no object that leaves
   this package holds it.

| module | holds |
|---|---|
| `exchange` | `Request`, `Exchange`, `Arrival`, `Failure`: plain data |
| `client`   | `Client.send`: httpx, one stamp per arrival |
| `together` | calls at the same moment; callers who leave, or do not read |
| `clock`    | seconds, but for those in which this process was held up |
| `watchdog`, `room`, `names` | its bounds: time, memory, and the look-up of a name |
| `gate`, `pace` | what may go out, and when: budgets, rate, patience with 429s |
| `raw`      | `Connection`: a bare socket, for what httpx cannot send or show |
| `redact`   | `Redactor`: masks secrets by value and by header name |
| `ordinary` | keys that are ordinary words, which no text can be masked for |
| `arguments` | a key on the command line is taken out of it; URLs as they may be quoted |
| `curl`     | an exchange as a command that runs as pasted |
| `transcript` | an exchange as timed lines, the offending one marked |
"""
