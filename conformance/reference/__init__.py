"""The embedded reference server: a conformant chat-completions endpoint, and every way to break it.

Laws:

1. It imports nothing of this project: a bug that server and checker share would be invisible.
2. What it answers is a pure function of the call; clock and socket are in ``server`` alone.
3. A fault is one function at one seam, and without a fault no seam does anything.

The way of a call, left to right; the names of the five seams stand where a fault may reach in::

    server -> [request] -> routes, chat -> [reply] [events] -> wire -> [bytes] [clock] -> server

==============  ==================================================================
``call``        plain data: Call, Reply, and what a stream is made of
``models``      the ten documented models, as a table
``rules``       the vocabulary of validation; ``parameters`` and ``messages`` are the tables
``text``        the tokenizer and the "model"; ``tools`` chooses calls, ``instance`` fills schemas
``vision``      a picture as the name of its colour
``chat``        request -> completion, or the chunks of a stream
``routes``      Call -> Reply: paths, credentials, operations
``wire``        Reply -> bytes and pauses
``pipeline``    all of that in order, with the seams in their places
``server``      the only sockets
``faults``      what real servers got wrong, one small function each
==============  ==================================================================

Start it with ``python -m conformance.reference --port 8080``.
"""
