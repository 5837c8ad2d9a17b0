"""The options of a run, and whether a run is ours.

The law: the plugin is inert unless the run is ours (`is_ours`): its options are registered, nothing
else happens in other people's test runs.
"""

from pathlib import Path

import pytest

from .generation import DEFAULT_EXAMPLES, DEFAULT_SEED
from .running import bounds

PACKAGE = Path(__file__).parent

DEFAULT_VARIABLE = "TARGET_API_KEY"
DEFAULT_TIMEOUT = "60"


def add_options(parser: pytest.Parser) -> None:
    """Registers the options in their own group of `pytest --help`."""
    # `--strict` is pytest's own option (8: strict markers; 9: strict mode), which we read too.
    group = parser.getgroup(
        "conformance",
        "conformance of an OpenAI-compatible endpoint "
        "(with --strict, a broken SHOULD fails the run like a broken MUST)",
    )
    add = group.addoption
    add(
        "--target-url",
        metavar="URL",
        help="base URL of the endpoint to judge, with /v1 (default: the embedded reference server)",
    )
    add(
        "--api-key-env",
        metavar="NAME",
        default=DEFAULT_VARIABLE,
        help="environment variable that holds the API key (default: %(default)s)",
    )
    add(
        "--api-key",
        metavar="KEY",
        help="the API key itself; until it has been read, the list of processes shows it to every "
        "user of this machine: prefer --api-key-env",
    )
    add(
        "--model",
        metavar="ID",
        action="append",
        default=[],
        help="model to judge, repeatable (default: the profile's, else the first of /models)",
    )
    add("--all-models", action="store_true", help="judge every model that /models lists")
    add(
        "--profile",
        metavar="NAME|FILE",
        help="what the target documents: ainul, openai or a TOML file (default: by URL)",
    )
    add(
        "--requirement",
        metavar="ID",
        action="append",
        default=[],
        help="judge only this requirement, repeatable; a prefix such as CC-SSE selects a chapter",
    )
    add(
        "--results",
        metavar="FILE",
        help="where to write the results as JSON (default: reports/out/results.json)",
    )
    add(
        "--timeout",
        metavar="SECONDS",
        default=DEFAULT_TIMEOUT,
        help="seconds for one whole exchange (default: %(default)s)",
    )
    add(
        "--long-context",
        metavar="TOKENS",
        help="send a prompt of so many tokens, which is billed, to each model whose profile "
        "documents a context_tokens of that size (default: none)",
    )
    add(
        "--examples",
        metavar="N",
        default=str(DEFAULT_EXAMPLES),
        help="generate N valid requests for each model, N invalid ones and 3N/10 malformed bodies "
        "(default: %(default)s; 0: none)",
    )
    add(
        "--seed",
        metavar="N",
        default=str(DEFAULT_SEED),
        help="which requests are generated; the same seed gives the same (default: %(default)s)",
    )
    bounds.add_options(add)
    add(
        "--resume",
        metavar="FILE",
        help="go on from the results (or the page, or the journal) of a run that came to no end: "
        "what it judged is taken over",
    )
    add(
        "--no-clients",
        action="store_true",
        help="do not run the client libraries that are installed (CC-SDK)",
    )
    add(
        "--plan",
        action="store_true",
        help="print how many requests and tokens the selection may cost, and send none",
    )
    add(
        "--requirements",
        action="store_true",
        help="list the catalogue with the state of each entry, and exit (-v: whole sentences, "
        "each with its source and its checks)",
    )


def is_ours(config: pytest.Config) -> bool:
    """Whether this run selects the conformance checks, or asks for them by an option."""
    if config.getoption("target_url") or config.getoption("plan"):
        return True
    here = config.invocation_params.dir
    for arg in config.args:
        name = arg.split("::")[0]
        if config.getoption("pyargs", False) and name.split(".")[0] == PACKAGE.name:
            return True
        path = (here / name).resolve()
        if path == PACKAGE or PACKAGE in path.parents or path == PACKAGE.parent:
            return True
    return False


def keep_to_checks(config: pytest.Config) -> None:
    """Judge the checks alone where pytest would collect this whole folder.

    Before it knows a plugin's options, pytest takes `--results FILE` for a path of tests if there
    is such a file; one elsewhere moves its root, and `testpaths` of this project stays unread.
    """
    nothing_named = config.args_source is pytest.Config.ArgsSource.INVOCATION_DIR
    if nothing_named and config.invocation_params.dir.resolve() == PACKAGE.parent:
        config.args[:] = [str(PACKAGE)]
