"""The pytest plugin: options, and the switch that makes a run ours.

The law: in other people's runs it registers its options and its marker and does nothing else. What
a run of ours needs (`run`, and with it `reports`) is imported only then: a project may have
packages of these names.
"""

import sys
from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

from .running import signals
from .running.asked import is_asked, refuse_key_as_a_value, refuse_misplaced_key

if is_asked(sys.argv[1:]):
    signals.starting()  # before what takes its time is imported

from . import options
from .running import settings

if TYPE_CHECKING:
    from .chat import Chat
    from .running.run import Run

RUN: "pytest.StashKey[Run]" = pytest.StashKey()

MARKERS = (
    "requirement(id, scope, harms): the clause of the catalogue that a check judges",
    "clients: drives client libraries, or what the documentation shows of them (CC-SDK)",
    "requirements(marks): the clauses of a family of checks, one run for each",
)


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    config: pytest.Config | None = pluginmanager.get_plugin("pytestconfig")
    if config is not None and is_asked(config.invocation_params.args):
        refuse_key_as_a_value(config.invocation_params.args)
    options.add_options(parser)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    parser: pytest.Parser, args: list[str]
) -> Generator[None, object, object]:
    loaded = yield
    if is_asked(args):
        refuse_misplaced_key(parser, args)  # every option is known now, pytest reads them next
    return loaded


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    if config.getoption("requirements"):
        from .listing import listing

        text = "\n".join(listing(whole=config.get_verbosity() > 0))
        screen = sys.stdout.encoding or "ascii"  # which may lack a character
        print(text.encode(screen, "backslashreplace").decode(screen))
        return 0
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    options.keep_to_checks(config)
    if not options.is_ours(config):
        signals.release()
        return
    if config.getoption("requirements"):
        return
    from .running import artefacts
    from .running.run import Run

    wanted = settings.read(config)
    # A traceback that shows locals or arguments shows the key, cut so that no redactor finds it.
    config.option.showlocals = config.option.fulltrace = False
    if getattr(config.option, "tbstyle", "") in ("auto", "long"):  # an option of the terminal's
        config.option.tbstyle = "short"
    config.stash[RUN] = run = Run(config, wanted)
    artefacts.mask_debug(config, run.redact)
    config.pluginmanager.register(run, "conformance-run")
    if not config.option.collectonly:
        config.add_cleanup(signals.catch(worker=run.is_worker))
    if not run.is_worker and not wanted.plan and not config.option.collectonly:
        artefacts.default_artefacts(config, run)


def pytest_unconfigure(config: pytest.Config) -> None:
    run = config.stash.get(RUN, None)
    if run is not None and run.target is not None:
        run.target.close()


@pytest.fixture
def chat(request: pytest.FixtureRequest) -> "Chat | None":
    """The model under judgement; None for a check that an earlier part of the run has judged."""
    run = request.config.stash[RUN]
    if run.parts.record_of(request.node) is not None:
        return None
    return run.live().chat(request.param)
