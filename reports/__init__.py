"""Reports: what a run found, told to a machine, a terminal and a reader.

Laws
----
* Results are plain data. ``verdict`` folds and counts, ``results`` writes and reads, ``text`` and
  ``page`` show; none of them asks the target anything, and only ``plugin`` knows pytest-html.
* One fact has one wording: what the terminal and the page both say comes from ``words`` and
  ``verdict``.
* Whatever a target sent is hostile until it is escaped.

Theory
------
A *record* is one executed check. An *entry* is one requirement for one model (or, with the model
None, for the target as a whole), folded from its records. *Results* are the entries of a run and
what was run, in the form of ``schemas/results.schema.json``. A *clause* is one requirement over all
models.

The compliance page::

    page         results in, HTML out: ``page.html``, ``page.css``, ``page.js``
    sentence     the verdict in words
    view         the top, the map, the table of clauses                pure
    cards        failures, warnings, what was not judged; transcripts  pure
    causes       which broken clauses are one broken thing             pure
    diff         required against seen                                 pure
    conditions   what the run was asked, what it knew, what it cost    pure
    embedding    the results in a page, and out of it or of a file again

Comparisons of saved runs::

    matrix       several runs side by side, clause by clause           pure
    changes      two runs of one target: what became of each clause    pure
    columns      what the targets are called; what hinders comparing   pure
    told         an entry in one line; strings made fit for a terminal pure
    tables       both in the terminal
    comparison   both as pages
    exports      both as data, by ``comparison.schema.json``
    badge        a verdict as an SVG picture
    summary      a run as Markdown for a CI job; ``markdown`` escapes

Pages of load runs and of sweeps, by ``load_results`` and ``load_sweep.schema.json``::

    load_page    results in, HTML out: ``load_page.html``, ``load_sweep.html``, ``load_parts.html``
    load_head    the top: verdict, targets, a few figures              pure
    load_view    the tables of models                                  pure
    load_facts   failures, what was watched, how it was made           pure
    load_plots   a run over time, distributions, models side by side
    load_axes    their axes: time with what is left out, labels
    sweep_view   the answer of a sweep, each of its runs               pure
    sweep_plots  what changes with the rate
    plots        matplotlib's SVG, made fit for a page
"""
