"""What a run does with the workers of xdist, in the process that controls them.

The laws: a worker asks nothing before its checks, it is told; what it has sent and found out
counts; and whoever interrupts the run waits for no worker.
"""

import contextlib
import signal
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from . import signals
from .collecting import scheduler
from .configuration import known
from .planning import Cost

if TYPE_CHECKING:
    from .run import Run


class Workers:
    """The hooks that xdist calls. Without it none of them does anything."""

    def __init__(self, run: "Run") -> None:
        self._run = run
        self._nodes: list[Any] = []
        self._ready: list[Any] = []

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        return scheduler(config, log)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a new worker what the controller has found out."""
        self._nodes.append(node)
        target = self._run.live()
        node.workerinput["conformance"] = {
            "url": target.url,
            "key": target.settings.key,
            "models": list(target.models),
            "embedded": target.embedded,
            "gone": target.gone,
            "account": target.gate.share(),
        }

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodeready(self, node: Any) -> None:
        self._ready.append(node)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """The controller waits in one place, and can be interrupted there."""
        controller = session.config.pluginmanager.get_plugin("dsession")
        if controller is not None:
            controller.queue.get = signals.interruptible(controller.queue.get)
        return (yield)

    def pytest_keyboard_interrupt(self) -> None:
        """Interrupt the workers too: xdist would wait ten seconds for each that does not listen."""
        for node in self._nodes:
            process = getattr(getattr(node.gateway, "_io", None), "popen", None)
            if process is not None:
                with contextlib.suppress(OSError):
                    if node in self._ready:
                        process.send_signal(signal.SIGINT)
                    else:
                        process.kill()  # it is deaf, and has done nothing that could be lost

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """What a worker has sent counts too."""
        run, output = self._run, getattr(node, "workeroutput", {})
        cost, told = output.get("conformance_cost", ()), output.get("conformance_known", {})
        run.parts.add(None, Cost(*cost), known(told))
        run.notices |= dict.fromkeys(output.get("conformance_notices", ()))
        if run.target is not None:
            run.target.gone = run.target.gone or output.get("conformance_gone")
