"""Pages of load runs and of sweeps, by ``load_results`` and ``load_sweep.schema.json``.

::

    page         results in, HTML out: ``page.html``, ``sweep.html``; ``parts.html`` is for both
    head         the top: verdict, targets, a few figures              pure
    view         the tables of models                                  pure
    facts        failures, what was watched, how it was made           pure
    plots        a run over time, distributions, models side by side
    axes         their axes: time with what is left out, labels
    sweep_view   the answer of a sweep, each of its runs               pure
    sweep_plots  what changes with the rate
    svg          matplotlib's SVG, made fit for a page

A new section: its markup goes to ``page.html`` or ``sweep.html``, its data to ``view``, ``facts``
or ``sweep_view``; a new plot to ``plots`` or ``sweep_plots``.
"""
