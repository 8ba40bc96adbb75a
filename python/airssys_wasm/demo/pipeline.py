"""Three kinds of actors count a text; one of them crashes half-way, and nothing is lost.

A splitter cuts the text into pieces, a pool of analysers counts them, a reporter adds the
counts up. What is delivered once at most, a request to an analyser, becomes once at least
because the splitter gives a piece out again whose request ended in an error; and exactly
once because the reporter knows the numbers of the pieces that it has added.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import airssys_wasm as aw
from airssys_wasm.demo.cast import Cast
from airssys_wasm.demo.quiet import unlogged
from airssys_wasm.demo.scenes import Counted, Recovered, Restart
from airssys_wasm.demo.texts import Text
from airssys_wasm.demo.work import Reader

if TYPE_CHECKING:
    from airssys_wasm.host.blocking import BlockingActor, BlockingHost
    from airssys_wasm.host.events import BlockingEvents

#: Bytes of UTF-8 that go on with a character.
_GOES_ON = range(0x80, 0xC0)
__all__ = ["TEXT_BYTES_MAX", "recover"]

#: Of longer texts the pipeline reads the beginning. One paragraph is never cut, and must
#: fit into a message, which has 1 MiB at most.
TEXT_BYTES_MAX: Final = 512 * 1024

#: A text comes in eight parts and 32 pieces, as far as they are no longer than this.
_PART_BYTES_MAX: Final = 64 * 1024
_ANALYSERS: Final = 3
_ANALYSER: Final = "demo/analyser"
_REPORTER: Final = "demo/reporter"
_SPLITTER: Final = "demo/splitter"
_LIMITS: Final = aw.Limits(memory_bytes_max=8 * aw.MIB, call_seconds_max=10.0)
#: The one figure that is no sum.
_LONGEST: Final = "longest-word"
#: A piece is tried this often: the crash costs one attempt.
_ATTEMPTS_MAX: Final = 3
_REPLY_SECONDS_MAX: Final = 30.0
#: The supervisor restarts after a tenth of a second; a machine may be busy.
_RESTART_SECONDS_MAX: Final = 10.0


def recover(cast: Cast, texts: Sequence[Text]) -> Recovered:
    """Count ``texts`` by one component, by actors, and by actors of which one crashes.

    Args:
        cast: has the components.
        texts: what is counted, up to ``TEXT_BYTES_MAX`` in all.

    Raises:
        AirssysError: the actors did not start, or gave no answer.
    """
    pages = _beginning([text.content for text in texts])
    undisturbed = _count(cast, pages, fails={})
    instance, piece = _half_way(undisturbed.shares)
    crashed = _count(cast, pages, fails={"instance": instance, "fail_at_piece": piece})
    return Recovered(
        source=" and ".join(text.name for text in texts),
        bytes_read=sum(map(len, pages)),
        bytes_total=sum(len(text.content) for text in texts),
        fail_at_piece=piece,
        alone=_count_alone(cast, pages),
        undisturbed=undisturbed,
        crashed=crashed,
    )


def _half_way(shares: Mapping[str, int]) -> tuple[str, int]:
    """Choose who fails, and when: the busiest analyser, in the middle of its share.

    Returns:
        Its instance, and the piece from 1; 0, which never comes, if there are no pieces.
    """
    busiest = max(shares, key=lambda address: shares[address])
    return busiest.rpartition("/")[2], (shares[busiest] + 1) // 2


def _count(cast: Cast, pages: Sequence[bytes], *, fails: Mapping[str, object]) -> Counted:
    """Let actors count, on a host of their own.

    Args:
        cast: has the components.
        pages: texts in UTF-8.
        fails: settings of the analysers; empty if none is to fail.
    """
    started = time.perf_counter()
    total = sum(map(len, pages))
    with (
        unlogged("airssys_wasm.host.observer"),
        aw.Host.blocking(engine=cast.engine, limits=_LIMITS) as host,
        host.events() as events,
    ):
        analysers, reporter, splitter = _spawn(host, cast, _between(256, total // 32), fails)
        messages = _messages(pages, _between(1024, total // 8))
        progress, restarts = _feed(splitter, messages, events)
        sums = reporter.ask("Sums", timeout=_REPLY_SECONDS_MAX).value
        shares = {member.name: member.mailbox["delivered"] for member in analysers.members}
    # Those that nobody waited for.
    restarts += [_noted(event) for event in events if event.kind == "restarted"]
    return Counted(
        pieces_cut=progress["pieces"],
        pieces_added=sums["pieces"],
        retries=progress["retries"],
        counts=_hyphenated(sums["counts"]),
        shares=shares,
        restarts=tuple(restarts),
        seconds=time.perf_counter() - started,
    )


def _spawn(
    host: BlockingHost, cast: Cast, piece_bytes: int, fails: Mapping[str, object]
) -> tuple[BlockingActor, BlockingActor, BlockingActor]:
    """Start the analysers, the reporter and the splitter; each hears and says what it needs."""
    hears = aw.Grant(receive=[_SPLITTER])
    analysers = host.spawn(
        _ANALYSER,
        cast.useful("pipeline-analyser"),
        pool=_ANALYSERS,
        grant=hears,
        config=fails,
    )
    reporter = host.spawn(_REPORTER, cast.useful("pipeline-reporter"), grant=hears)
    splitter = host.spawn(
        _SPLITTER,
        cast.useful("pipeline-splitter"),
        grant=aw.Grant(send=[_ANALYSER, _REPORTER]),
        config={
            # One name for all: the pool decides who gets a piece, and this how many are out.
            "analysers": [_ANALYSER] * _ANALYSERS,
            "reporter": _REPORTER,
            "piece_bytes": piece_bytes,
            "timeout_milliseconds": round(_LIMITS.call_seconds_max * 1000),
            "attempts_max": _ATTEMPTS_MAX,
        },
    )
    return analysers, reporter, splitter


def _feed(
    splitter: BlockingActor, messages: Iterator[object], events: BlockingEvents
) -> tuple[dict[str, int], list[Restart]]:
    """Tell the splitter all ``messages``; return how far it came, and who was restarted."""
    progress: dict[str, int] = {}
    restarts: list[Restart] = []
    for message in messages:
        progress = splitter.ask(message, timeout=_REPLY_SECONDS_MAX).value
        if progress["retries"] and not restarts:
            # The others go on meanwhile; to be seen at work, the new one has to be there.
            restarts += _restart(events)
    return progress, restarts


def _restart(events: BlockingEvents) -> list[Restart]:
    """Wait for the restart of whoever failed; there is none if it is given up."""
    until = time.monotonic() + _RESTART_SECONDS_MAX
    try:
        while (event := events.get(timeout=max(0.0, until - time.monotonic()))).kind != "given-up":
            if event.kind == "restarted":
                return [_noted(event)]
    except TimeoutError:
        pass
    return []


def _noted(event: aw.Event) -> Restart:
    return Restart(
        actor=event.actor,
        reason=event.reason,
        detail=event.detail,
        attempt=event.attempt,
        attempts_max=event.attempts_max,
        delay_seconds=event.delay_seconds,
        incarnation=event.incarnation,
    )


def _count_alone(cast: Cast, pages: Sequence[bytes]) -> dict[str, int]:
    """Let one component count all of it in one piece: what the actors have to come to."""
    with Reader.open(cast) as reader:
        found = [reader.figures(page)["counts"] for page in pages]
    return {
        name: max(counts) if name == _LONGEST else sum(counts)
        for name in found[0]
        for counts in [[one[name] for one in found]]
    }


def _hyphenated(counts: Mapping[str, int]) -> dict[str, int]:
    """Return ``counts`` under the names that ``text-stats`` has for them."""
    return {name.replace("_", "-"): count for name, count in counts.items()}


def _beginning(contents: Sequence[bytes]) -> list[bytes]:
    """Return the first ``TEXT_BYTES_MAX`` of some texts in UTF-8; one text at least."""
    pages, left = [], TEXT_BYTES_MAX
    for content in contents or [b""]:
        pages.append(content[: _character(content, left)])
        left -= len(pages[-1])
    return pages


def _messages(pages: Sequence[bytes], part_bytes: int) -> Iterator[object]:
    """Yield what the splitter is told: each text in parts, and its end."""
    for page in pages:
        start = 0
        while start < len(page):
            end = _character(page, start + part_bytes)
            yield {"Part": page[start:end].decode()}
            start = end
        yield "End"


def _character(content: bytes, end: int) -> int:
    """Return the last place up to ``end`` where a character of ``content`` begins or all end."""
    end = min(end, len(content))
    while 0 < end < len(content) and content[end] in _GOES_ON:
        end -= 1
    return end


def _between(low: int, figure: int) -> int:
    return max(low, min(figure, _PART_BYTES_MAX))
