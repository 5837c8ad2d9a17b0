"""One run's target: where it is, which models are judged, whether it still answers.

The law: everything that a check shares with another check lives here, once per process.
"""

import contextlib
import logging
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from conformance import __version__
from conformance.chat import BOUND, ROOMY, Chat
from conformance.guards import UNFINISHED, refuses
from conformance.outcomes import Inconclusive, Unjudged
from conformance.requirements import REQUIREMENTS
from conformance.wire.arguments import without
from conformance.wire.client import Client, Endpoint
from conformance.wire.exchange import Exchange, Request
from conformance.wire.gate import Gate
from conformance.wire.pace import Limits
from conformance.wire.redact import Redactor

from . import budget, preflight
from .configuration import Known
from .embedded import SLOW_READER_S, STREAM_ERROR, EmbeddedServer
from .planning import Cost, cost
from .settings import Settings, aimed, secrets

FIRST_LISTED = "the-first-that-models-lists"
"""Stands for a model whose name is not known: nothing was sent, or nothing was answered."""


def as_embedded(settings: Settings) -> Settings:
    """The same settings, knowing what the embedded server can do beyond its documentation."""
    profile = settings.profile
    profile = replace(
        profile,
        triggers={"stream_error": STREAM_ERROR, **profile.triggers},
        capabilities={"browser": True, **profile.capabilities},
        keys={},  # the target's own are nothing to it
        limits=replace(profile.limits, slow_reader_s=SLOW_READER_S),
    )
    return replace(settings, profile=profile, spare_keys={})


class TargetSession:
    """The target of a run and the client that speaks to it.

    `gone` says why nothing more is asked of it; None while it answers. `limited` says the same of a
    model that is answered 429, whatever is asked.
    """

    def __init__(
        self, settings: Settings, models: tuple[str, ...] = (), account: str | None = None
    ) -> None:
        """Raises `pytest.UsageError` for an address, key or model that the user can mend.

        `models` are known already in a worker process, which then asks nothing before its checks;
        `account` is what it shares with the other processes (`Gate.share`).
        """
        self.server: EmbeddedServer | None = None
        self.embedded = settings.target_url is None
        self.gone: str | None = None
        self.limited: dict[str, str] = {}
        self._chats: dict[str, Chat] = {}
        self._afresh: dict[tuple[str, int], Chat] = {}
        self._shared: dict[tuple[Request, int], Exchange] = {}
        if settings.plan:
            settings = replace(settings, target_url=None)
        if settings.target_url is None:
            settings = self._start(settings, models)
        self.settings = settings
        limits = Limits() if settings.plan else settings.limits  # a rehearsal is free
        reckoning = budget.RECKONING if limits.tokens is not None else budget.Reckoning()
        self.gate = Gate(limits, refuse=Inconclusive, over=self._hear, path=account, **reckoning)
        self.client = Client(_endpoint(settings), f"chat-conformance/{__version__}", gate=self.gate)
        self._told = self._repeats = 0
        self._usage = Cost()
        self._learned = Counter[str]()
        self.redactor = Redactor([*self.client.endpoint.secrets, settings.key or ""])
        self._log_factory = logging.getLogRecordFactory()
        logging.setLogRecordFactory(self._masked_log)
        if models:
            self.models = models
        else:
            try:
                self.models = preflight.models_of(settings, self.client, self._shared)
            except Inconclusive as unanswered:
                self.models, self.gone = (FIRST_LISTED,), unanswered.reason
            else:
                with contextlib.suppress(Inconclusive):  # a budget is spent: every check says so
                    self.gone = preflight.check(settings, self.client, self.models, self._shared)

    def _start(self, settings: Settings, models: tuple[str, ...]) -> Settings:
        profile = settings.profile
        documented = tuple(model.id for model in profile.models)
        served = models or tuple(dict.fromkeys((*documented, *settings.models)))
        if settings.plan and not served:
            served = (FIRST_LISTED,)
        try:
            # The user's own keys are nothing to it.
            self.server = EmbeddedServer(served, environ=without(os.environ, secrets(settings)))
        except RuntimeError as error:
            raise pytest.UsageError(str(error)) from None
        chosen = settings.models or (served if settings.plan and not documented else ())
        mine = replace(aimed(settings, self.server.url, self.server.key), models=chosen)
        return as_embedded(mine)

    @property
    def url(self) -> str:
        """The base URL that is judged."""
        return self.client.endpoint.base_url

    def take_cost(self) -> Cost:
        """What this process has sent since it was asked the last time."""
        log, repeated = self.client.log, self.client.repeated
        since = cost(log[self._told :]) + Cost(repeated=repeated - self._repeats) + self._usage
        self._told, self._repeats, self._usage = len(log), repeated, Cost()
        return since

    def _hear(self, exchanges: Sequence[Exchange]) -> None:
        for usage in filter(None, map(budget.told, exchanges)):
            self._usage += Cost(
                told=1,
                told_read=usage.read,
                told_written=usage.written,
                told_total=usage.total,
            )

    @property
    def notices(self) -> list[str]:
        """Why some of what was to be asked was not, one line each, without its particulars."""
        refusal = self.gate.refusal and self.gate.refusal.partition(": ")[0]
        said = [self.gone, *self.limited.values(), refusal]
        return list(dict.fromkeys(line for line in said if line))

    def chat(self, model: str) -> Chat:
        """The model of that id; one object per process."""
        if model not in self._chats:
            self._chats[model] = self._made(model, *self._bound(model))
        return self._chats[model]

    def _made(self, model: str, bound_name: str, bound: int) -> Chat:
        return Chat(
            self.client,
            self.settings.profile,
            model,
            shared=self._shared,
            on_gone=self._lost,
            limited=self.limited,
            long_context=self.settings.long_context,
            bound_name=bound_name,
            bound=bound,
            generated=self.settings.generated,
            clients=self._clients(),
        )

    def take_known(self) -> Known:
        """The capabilities that this process has asked about since it was asked the last time."""
        since = {model: chat.known[self._learned[model] :] for model, chat in self._chats.items()}
        self._learned.update({model: len(found) for model, found in since.items()})
        mask = self.redactor.text  # what the target said of itself may hold the key
        return {
            model: [replace(one, because=mask(one.because)) for one in found]
            for model, found in since.items()
            if found
        }

    def _clients(self) -> frozenset[str] | None:
        """The clauses for which client libraries may run; None where none may."""
        if not self.settings.clients:
            return None
        selected = self.settings.selected
        return frozenset(REQUIREMENTS) if selected is None else selected

    def afresh(self, model: str, number: int) -> Chat:
        """The chat of the `number`-th repetition of checks that found that model broken."""
        if (model, number) not in self._afresh:
            self._afresh[model, number] = self.chat(model).afresh()
        return self._afresh[model, number]

    def _bound(self, model: str) -> tuple[str, int]:
        """The output bound that a model takes where a check does not care, by name and size.

        `max_tokens` unless it refuses that by name (CC-REQ-024), and `BOUND` unless it answers that
        there is no room to think.
        """
        name, size = "max_tokens", BOUND
        for _ in range(2 if self.gone is None else 0):
            try:
                exchange = self._made(model, name, size).ask()
            except Unjudged:  # the check that needs it will find out
                break
            if refuses(exchange, ("max_tokens",)):
                name = "max_completion_tokens"
            elif exchange.status == 400 and UNFINISHED in exchange.body:
                size = ROOMY
            else:
                break
        return name, size

    def _lost(self, reason: str) -> None:
        self.gone = f"the target stopped answering: {reason}"

    def still_there(self, model: str) -> None:
        """Send the canary after a check that may harm the target."""
        if self.gone is None:
            with contextlib.suppress(Inconclusive):  # it is gone, and `_lost` has noted it
                self.chat(model).patience.alive()

    def _masked_log(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        """What httpcore logs of headers, and pytest shows or writes, holds no secret."""
        record = self._log_factory(*args, **kwargs)
        record.msg, record.args = self.redactor.text(record.getMessage()), ()
        if record.exc_info:  # formatted here, and never again: a message may quote anything
            text = logging.Formatter().formatException(record.exc_info)
            record.exc_text = self.redactor.text(text)
            record.exc_info = None
        return record

    def close(self) -> None:
        """Close connections and end the embedded server."""
        logging.setLogRecordFactory(self._log_factory)
        self.client.close()
        self.gate.close()
        if self.server is not None:
            self.server.close()


def _endpoint(settings: Settings) -> Endpoint:
    profile = settings.profile
    return Endpoint(
        base_url=settings.target_url or "",
        key=settings.key,
        extra_headers=profile.resolved_headers(),
        shown_headers=profile.shown_headers(),
        spare_keys=settings.spare_keys,
        timeout=settings.timeout,
        linger=profile.limits.held_open_s + 1,
    )
