"""Reports: what a run found, told to a machine, a terminal and a reader.

Laws
----
* Results are plain data. ``verdict`` folds and counts, ``results`` writes and reads, ``text`` and
  the pages show; none of them asks the target anything, and only ``plugin`` knows pytest-html.
* One fact has one wording: what the terminal and the page both say comes from ``words`` and
  ``verdict``.
* Whatever a target sent is hostile until it is escaped.

Theory
------
A *record* is one executed check. An *entry* is one requirement for one model (or, with the model
None, for the target as a whole), folded from its records. *Results* are the entries of a run and
what was run, in the form of ``schemas/results.schema.json``. A *clause* is one requirement over all
models.

Each page is a package of its own, which says where its next section goes::

    compliance/  a run: verdict, map, failures, every clause
    comparison/  saved runs beside each other: several targets, or one then and now
    load/        load runs and sweeps, with plots

What they share::

    verdict      folds, counts and decides                             pure
    sentence     the verdict in words                                  pure
    words        numbers, times and strings as they are written        pure
    signs        how a verdict looks                                   pure
    told         an entry in one line; strings made fit for a terminal pure
    templates    the Jinja environment, the document around a page; ``base.css``, ``base.js`` and
                 the macros of ``parts.html`` are for all pages
    filters      what a table can be asked, in its address; ``filters.js`` narrows it      pure
    embedding    the results in a page, and out of it again
    files        what kind of results a file holds; written whole or not at all
    results      the results of a run: built, written, read

What else tells a run::

    text         in the terminal
    plugin       in pytest-html's file
    badge        as an SVG picture
    summary      as Markdown for a CI job; ``markdown`` escapes
"""
