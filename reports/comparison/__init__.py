"""Saved runs beside each other: several targets, or one target then and now.

::

    matrix       several runs side by side, clause by clause           pure
    changes      two runs of one target: what became of each clause    pure
    columns      what the targets are called; what hinders comparing   pure
    tables       both in the terminal
    pages        both as pages: ``matrix.html``, ``changes.html``; ``parts.html`` is for both
    exports      both as data, by ``comparison.schema.json``

A new opinion on several runs goes to ``matrix``, on two runs of one target to the table in
``changes``; ``tables``, ``pages`` and ``exports`` show it.
"""
