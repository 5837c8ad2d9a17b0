"""The compliance page: a run, told to who has to mend the target.

::

    page         results in, HTML out: ``page.html``, with the macros of ``cards.html``
    view         the top, the map, the table of clauses                pure
    cards        failures, warnings, what was not judged; transcripts  pure
    causes       which broken clauses are one broken thing             pure
    diff         required against seen                                 pure
    conditions   what the run was asked, what it knew, what it cost    pure

A new section: its markup goes to ``page.html``, its data to ``view``, ``cards`` or ``conditions``,
and ``page.render`` hands them over.
"""
