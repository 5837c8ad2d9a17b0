"""The load generator: how fast, per model, and how far its own figures can be trusted.

Laws
----
* What is measured is defined once, in `timeline`, and computed from raw stamps after the clock has
  stopped. Nothing is decoded between two reads of a stream.
* Everything that is counted or recorded is an integer (nanoseconds, tokens, requests), so that what
  several workers report adds up exactly.
* A request ends in one way: it succeeded, it failed as one named kind, or the end of the run cut it
  off. None is lost, and none becomes a time of 0.
* A run judges itself (`validity`). On a run that is not valid no target is called held or broken.
* Only the locustfiles, `user`, `shapes`, `hooks`, `parting` and `web` import locust, which
  monkey-patches the process; only they and `engine`, `reporting`, `dictation`, `joining`,
  `dispatch`, `backlog`, `monitor`, `dial` and `stream` import gevent. The rest is pure.

Map
---
failures    the ways in which a request can end, as a table
decoding    the bytes of a stream -> where its tokens are, its usage, its end     pure
timeline    stamps and decoding -> the metrics, by their definitions              pure
histogram   mergeable histograms; which percentiles are carried                   pure
metrics     what is measured and counted, per model, phase and window             pure
windows     a run cut into windows of seconds                                     pure
arrivals    when requests are to be sent: constant, Poisson, gamma, trace         pure
prompts     what is asked: fixed, by length, from a file, in turns                pure
slo         targets such as ``ttft_p95<500ms``, and whether they held             pure
validity    whether the figures can be trusted, and their error bar               pure
marking     the windows of a run, each judged; figures over the VALID ones        pure
reliance    whether a run can rest on its VALID windows                           pure
outcome     reply and stream -> succeeded, or failed as which kind                pure
place       a base URL, and the bytes of a request                                pure
exchange    raw stamps and bytes of one request; the framing of a reply
dial        opening a connection: name, TCP, TLS
stream      the watcher-driven reader with the kernel's receive stamps
recorder    a finished request -> the book; the conformance suite's machine on streams
sharing     turns of models, a worker's part of a run, shares of a budget         pure
options     every option, read and checked                                        pure
keys        a key on a command line: hidden where it belongs, else refused
monitor     the generator's own lag and CPU
backlog     streams that are over and wait to be recorded
dispatch    an open loop: sends what is due
engine      one process's part of a run
listing     GET /models
masking     no log record holds a secret
series      a run over time, and its distributions, as bounded columns            pure
gather      what workers report, put together                                     pure
facts       what results are made from, and what is decided by it                 pure
results     a run as data, by `load_results.schema.json`                          pure
summary     the results on one screen                                             pure
writing     results to files
command     the command line of a run, as results quote it                        pure
conclusion  the end of a run: results and page written, targets decided
live        the figures of a run as it goes                                       pure
live_points its points over time                                                  pure
reporting   what a process reports of its part, on the way and at its end
notes       a run as it goes: what its results would be by now                    pure
scribe      a process: writes the results of a run while it goes
dictation   tells the scribe what is reported
joining     a worker that comes late: its part of the schedule and of a budget
parting     the master waits for the last word of each worker
web         the live view in Locust's web page (its files: ``live_page/``)
early       Ctrl-C before a run has begun; `start` is Locust with it
hooks       what Locust calls
user        ChatUser, the base of locustfiles
chat mixed  locustfiles
ramp steps spike soak  the same, with a shape
stages      users over time, as a table                                           pure
shapes      the same for Locust
search      the search for the highest rate that holds                            pure
sweep       a command: the highest rate at which targets hold
sweep_run      one run of it: its process, progress on the terminal, Ctrl-C
sweep_results  a sweep as data, by `load_sweep.schema.json`                       pure
sweep_words    what a sweep says                                                  pure
"""
