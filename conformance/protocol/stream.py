"""The chunk machine: the sequence of chunks of one stream, judged by two small tables.

Laws
----
* Everything that decides which chunk may follow which stands in the tables of automaton.py; the
  machine here only walks them, records what they call a breach, and goes on.
* What one chunk must look like, whatever came before, stands in chunks.py.
* Nothing raises, whatever the values are.

Theory
------
Each ``data`` value of the stream is one ``Input``; each choice of a chunk is a few ``Part``s (the
role, then what it says, then the finish). The stream has one state, each choice has one.

After ``[DONE]`` nothing is read (CC-SSE-006 has it). A chunk whose ``choices`` or ``delta`` cannot
be read says nothing about the sequence. With n=1 a wrong index (CC-STREAM-006) is read as 0. Once a
chunk could not be read at all (CC-SSE-003), or with n>1 an index was wrong, nobody knows what its
choice said there, and the sequence of the choices is not judged any further.

Example
-------
>>> reading = read_stream(b'data: {"error": {"message": "boom"}}\\n\\n')
>>> [finding.id for finding in reading.findings], reading.done
(['CC-SERR-002'], False)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from . import chunks, framing
from .automaton import ONCE, STREAM, STREAM_BREACHES, Input, Part, Speech, State, next_speech
from .calls import Calls
from .chunks import Chunk
from .facts import Facts
from .finding import Finding, Findings, Quote, Tell
from .fold import Assembly, Choice, is_audio_end, is_cumulative, repeats_whole
from .framing import Item, Kind
from .logprobs import Alignment, entries_of
from .reasoning import Order
from .sse import Decoder, Event, decode

__all__ = [
    "Chunk",
    "Facts",
    "StreamReading",
    "is_cumulative",
    "read_decoded",
    "read_stream",
    "repeats_whole",
]


@dataclass(frozen=True, slots=True)
class StreamReading:
    """A stream, read.

    Attributes:
        events: as decoded (sse.py), an unfinished last one included.
        items: every ``data`` value, classified (framing.py).
        chunks: the ordinary chunks up to ``[DONE]``, in order, with spans.
        error_events: the items that are error events.
        findings: everything that was found, framing first.
        done: ``[DONE]`` was seen.
        done_end: byte offset after the event of the first ``[DONE]``, else None.
        usage: the last ``usage`` that was not null.
        output_offsets: byte offset after each event that says something, a thought or call too.
        decoder: the decoder, closed: comments, line ends, blocks without data.
    """

    events: tuple[Event, ...]
    items: tuple[Item, ...]
    chunks: tuple[Chunk, ...]
    error_events: tuple[Item, ...]
    findings: tuple[Finding, ...]
    done: bool
    done_end: int | None
    output_offsets: tuple[int, ...]
    decoder: Decoder
    _assembly: Assembly

    @property
    def usage(self) -> object:
        """The last ``usage`` that was not null, else None."""
        return self._assembly.usage

    @property
    def choices(self) -> Mapping[int, Choice]:
        """What each choice said, by index."""
        return self._assembly.choices

    def fold(self) -> dict[str, Any]:
        """The completion that the chunks make (CC-EQUIV-001)."""
        return self._assembly.fold()

    def deltas(self, index: int = 0) -> list[str]:
        """The content deltas of a choice, empty ones included."""
        choice = self.choices.get(index)
        return list(choice.texts) if choice else []

    def text(self, index: int = 0) -> str:
        """The content of a choice; ``""`` where it said nothing."""
        return "".join(self.deltas(index))

    def reasoning(self, index: int = 0) -> str:
        """The reasoning of a choice, whichever member carried it first."""
        choice = self.choices.get(index)
        pieces = next(iter(choice.reasonings.values()), []) if choice else []
        return "".join(pieces)

    def finish_reason(self, index: int = 0) -> object:
        """The first non-null finish_reason of a choice, else None."""
        choice = self.choices.get(index)
        return choice.finish_reason if choice else None


def read_stream(body: bytes, facts: Facts | None = None) -> StreamReading:
    """Read a whole body. Never raises."""
    return read_decoded(decode(body), facts)


def read_decoded(decoder: Decoder, facts: Facts | None = None) -> StreamReading:
    """Read what a decoder has taken in; it is closed if it was not."""
    decoder.close()
    facts = facts or Facts()
    items = framing.items(decoder.events)
    machine = _Machine(facts)
    for item in items:
        machine.take(item)
    machine.end(framing.plain_error(items))
    found = framing.findings(decoder, items, complete=facts.complete)
    done = next((item for item in items if item.kind is Kind.DONE), None)
    return StreamReading(
        events=tuple(decoder.events),
        items=tuple(items),
        chunks=tuple(machine.chunks),
        error_events=tuple(item for item in items if framing.is_error(item.value)),
        findings=(*found, *machine.log),
        done=done is not None,
        done_end=done.span[1] if done else None,
        output_offsets=tuple(machine.output_offsets),
        decoder=decoder,
        _assembly=machine.assembly,
    )


class _Machine:
    """The two tables at work on one stream."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.log = Findings()
        self.assembly = Assembly()
        self.chunks: list[Chunk] = []
        self.output_offsets: list[int] = []
        self.state = State.START
        self.speech: dict[int, Speech] = {}
        self.calls: dict[int, Calls] = {}
        self.order = Order()
        self.alignments: dict[int, Alignment] = {}
        self.failed = False
        self.last_finish = 0
        self.legible = True  # False: a choice's part in the sequence could not be read
        self.heard = 0  # choices of chunks, over the stream
        self.empty = 0  # of them, those that tell nothing: no text, token or finish_reason

    def take(self, item: Item) -> None:
        """One data value."""
        if self.state is State.ENDED:
            return
        if item.kind is Kind.DONE:
            self._step(Input.DONE, item)
        elif framing.is_error(item.value):
            chunks.judge_error(self.log, item)
            self.failed = True
            self._step(Input.ERROR, item)
        elif isinstance(item.value, dict) and chunks.is_chunk(item.value):
            self._chunk(item, item.value)
        elif item.kind is Kind.BROKEN:
            self.legible = False

    def _step(self, given: Input, at: Item | Chunk) -> None:
        following = STREAM[self.state].get(given)
        if following is None:
            clause, required = STREAM_BREACHES[self.state, given]
            self.log.add(clause, required, Quote(given.value), at.where, span=at.span)
        else:
            self.state = following

    def _chunk(self, item: Item, value: Mapping[str, object]) -> None:
        given = self._classify(value)
        chunk = Chunk(item.number, value, item.span, preamble=given is Input.PREAMBLE)
        self.chunks.append(chunk)
        if given is Input.PREAMBLE:
            chunks.judge_preamble(self.log, chunk)
        else:
            chunks.judge(self.log, chunk, self.facts)
            self.assembly.take(chunk.value)
        if given is Input.FINISH:
            self.last_finish = chunk.number
        if given is not None:
            self._step(given, chunk)
        for position, choice in chunk.choices():
            self._choice(chunk, position, choice)

    def _classify(self, value: Mapping[str, object]) -> Input | None:
        listed = value.get("choices")
        if not isinstance(listed, list):
            return None
        if listed:
            ends = any(isinstance(choice, dict) and chunks.finishes(choice) for choice in listed)
            return Input.FINISH if ends else Input.CHUNK
        usage = value.get("usage")
        if isinstance(usage, dict) and self.facts.include_usage:
            return Input.USAGE
        if self.state is State.START and value.get("object") == "" and usage is None:
            return Input.PREAMBLE
        return Input.VOID

    def _choice(self, chunk: Chunk, position: int, choice: Mapping[str, object]) -> None:
        index = self._index(choice)
        if index is None:
            return
        record = self.assembly.choices.setdefault(index, Choice())
        delta = choice.get("delta")
        if isinstance(delta, dict):
            record.take(delta)
            self._mark(chunk, delta)
        record.take_logprobs(choice.get("logprobs"))
        self.alignments.setdefault(index, Alignment()).take(choice, chunk.where)
        if chunks.finishes(choice) and record.finish_reason is None:
            record.finish_reason = choice["finish_reason"]
        self.heard += 1
        path = f"$.choices[{position}]" + (f" (index {index})" if self.facts.n > 1 else "")
        if self.legible and isinstance(delta, dict):
            calls = self.calls.setdefault(index, Calls(self.facts))
            tell = Tell(self.log, chunk.where, chunk.span)
            calls.take(tell, delta, f"{path}.delta")
            self.order.take(tell, index, delta, self.facts, f"{path}.delta")
        for part, seen in _parts(choice):
            before = self.speech.get(index, Speech.SILENT)
            self.speech[index], broken = next_speech(before, part)
            idle = part is Part.EMPTY and not entries_of(choice.get("logprobs"))
            self.empty += idle and before is not Speech.FINISHED
            if not self.legible or (before is Speech.SILENT and not isinstance(delta, dict)):
                continue  # the fault is another clause's, and says nothing about the sequence
            for clause, required, mild in broken:
                where, span = chunk.where, chunk.span
                self.log.add(clause, required, seen, where, path=path, span=span, mild=mild)

    def _index(self, choice: Mapping[str, object]) -> int | None:
        index = choice.get("index")
        if chunks.is_index(index, self.facts.n) and isinstance(index, int):
            return index
        if self.facts.n == 1:
            return 0
        self.legible = False
        return None

    def _mark(self, chunk: Chunk, delta: Mapping[str, object]) -> None:
        end = chunk.span[1]
        if chunks.speaks(delta) and end not in self.output_offsets[-1:]:
            self.output_offsets.append(end)

    def end(self, plain_error: Item | None) -> None:
        """The stream is over: what holds of it as a whole."""
        if plain_error is not None:
            chunks.judge_plain_error(self.log, plain_error)
            self.failed = True
        chunks.judge_all(self.log, self.chunks, self.facts)
        if self.empty >= _RARE and self.empty * 5 >= self.heard:
            required = "fewer than 20 % of the deltas are empty"
            seen = Quote(f"{self.empty} of {self.heard}")
            self.log.add("CC-STREAM-029", required, seen, mild=True)
        if self.failed or not self.facts.complete or not self.legible:
            return
        whole = self._ends()
        for alignment in self.alignments.values():
            if self.facts.logprobs and (astray := alignment.breach()):
                required = "log probabilities come with the delta that they describe"
                self.log.add("CC-LOGP-009", required, Quote(astray), path="$.choices[*].logprobs")
        if self.facts.include_usage:
            chunks.judge_usage(self.log, self.chunks, self.last_finish, whole=whole)

    def _ends(self) -> bool:
        """Whether there was a choice, and every one has ended."""
        whole = True
        if not any(chunk.value.get("choices") for chunk in self.chunks):
            seen = Quote("no chunk with a choice")
            self.log.add("CC-STREAM-016", "a stream has at least one choice chunk", seen)
            self.log.add("CC-SSE-024", "a stream that ends cleanly has a choice", seen)
            whole = False
        for index, choice in self.assembly.choices.items():
            if choice.finish_reason is None and not choice.ended_as_audio:
                seen, where = Quote("none"), f"choice {index}"
                self.log.add(ONCE[0], ONCE[1], seen, where)
                required = "a stream that ends cleanly has the finish_reason of every choice"
                self.log.add("CC-SSE-024", required, seen, where)
                whole = False
        order = list(self.assembly.choices)
        if order != sorted(order):
            required = "indices first appear in ascending order"
            self.log.add("CC-STREAM-023", required, order, "$.choices[*].index")
        return whole


def _parts(choice: Mapping[str, object]) -> Iterator[tuple[Part, object]]:
    """What a chunk's choice holds, each with the value to show."""
    delta = choice.get("delta")
    ends = chunks.finishes(choice)
    if isinstance(delta, dict):
        role = delta.get("role")
        if role is not None:
            yield (Part.ROLE if role == "assistant" else Part.OTHER_ROLE), role
        heard = False
        for part, members in _SPEAKING:
            said = {key: delta[key] for key in members if delta.get(key)}
            if said and not (part is Part.AUDIO and is_audio_end(said["audio"])):
                heard = True
                yield part, said
        if not heard and chunks.speaks(delta):
            yield Part.OTHER, delta
        elif not heard and role is None and not ends:
            yield Part.EMPTY, delta
    if ends:
        yield Part.FINISH, choice["finish_reason"]


_RARE: Final = 3
"""Empty deltas from which on their share counts (CC-STREAM-029): a short answer has few chunks."""

_SPEAKING: Final[Sequence[tuple[Part, tuple[str, ...]]]] = (
    (Part.TEXT, (*chunks.VISIBLE, *chunks.REASONING)),
    (Part.CALL, ("tool_calls", "function_call")),
    (Part.AUDIO, ("audio",)),
)
