"""No log record of a run holds a secret, whoever writes it: Locust logs what its users raise.

Laws: masked where records are made, before any handler, file, page or master sees them; a second
call masks by the secrets of that call too.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from conformance.wire.redact import Redactor

__all__ = ["mask_logs"]

_known: set[str] = set()


def mask_logs(secrets: Iterable[str]) -> None:
    """From now on, records hold none of these, nor of those given before."""
    new = set(filter(None, secrets)) - _known
    if not new:
        return
    _known.update(new)
    redactor, make = Redactor(new), logging.getLogRecordFactory()

    def masked(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        record.msg, record.args = redactor.text(record.getMessage()), ()
        if record.exc_info:  # formatted here, and never again
            text = record.exc_text or logging.Formatter().formatException(record.exc_info)
            record.exc_info, record.exc_text = None, redactor.text(text)
        elif record.exc_text:
            record.exc_text = redactor.text(record.exc_text)
        return record

    logging.setLogRecordFactory(masked)
