"""The rows of the codecs: ``codec_rows.py`` prints them alone."""

from __future__ import annotations

from collections.abc import Sequence

from messages import MESSAGES
from promises import Row, duration, table
from rounds import Worker, compare, workers

OURS = "airssys-wasm"
SIDES = (OURS, "cbor2", "json", "orjson", "msgspec (msgpack)", "borsh-construct")

#: What CBOR promises beside cbor2, by operation.
CBOR_PROMISES = {"encode": 4.0, "decode": 3.0}
#: What JSON may cost beside orjson at most.
JSON_PROMISE = 1.2
BORSH_PROMISE = 50.0
#: Nanoseconds for a prefix put on, or taken off, 1 KiB.
WRAP_PROMISE = 80.0


def codec_rows(sides: dict[str, Worker]) -> list[Row]:
    rows = [_cbor(sides, operation, size) for operation in CBOR_PROMISES for size in MESSAGES]
    rows += [_json(sides, operation, size) for operation in CBOR_PROMISES for size in MESSAGES]
    rows += [_borsh(sides, operation) for operation in CBOR_PROMISES]
    return rows + [_prefix(sides[OURS], operation) for operation in ("wrap", "unwrap")]


def _times(sides: Sequence[Worker], operation: str, *arguments: object) -> dict[str, float]:
    figures = compare(sides, operation, *arguments)
    return {name: figure.min for name, figure in figures.items()}


def _shown(times: dict[str, float]) -> str:
    return ", ".join(f"{name} {duration(time)}" for name, time in times.items() if name != OURS)


def _cbor(sides: dict[str, Worker], operation: str, size: str) -> Row:
    chosen = [sides[name] for name in (OURS, "cbor2", "msgspec (msgpack)")]
    times = _times(chosen, operation, "CBOR", size)
    ratio = times["cbor2"] / times[OURS]
    path = f"CBOR {operation}, {size}"
    return Row(path, duration(times[OURS]), _shown(times), ratio, CBOR_PROMISES[operation])


def _json(sides: dict[str, Worker], operation: str, size: str) -> Row:
    chosen = [sides[name] for name in (OURS, "orjson", "json")]
    times = _times(chosen, operation, "JSON", size)
    ratio = times[OURS] / times["orjson"]
    path = f"JSON {operation}, {size}"
    # The promise is about a message of this size; the others inform.
    promise = JSON_PROMISE if size == "164 B" else None
    return Row(path, duration(times[OURS]), _shown(times), ratio, promise, "at most")


def _borsh(sides: dict[str, Worker], operation: str) -> Row:
    chosen = [sides[name] for name in (OURS, "borsh-construct")]
    times = _times(chosen, f"borsh_{operation}")
    ratio = times["borsh-construct"] / times[OURS]
    path = f"borsh {operation}"
    return Row(path, duration(times[OURS]), _shown(times), ratio, BORSH_PROMISE)


def _prefix(ours: Worker, operation: str) -> Row:
    [time] = _times([ours], operation, 1024).values()
    path = f"multicodec {operation}, 1 KiB"
    return Row(path, duration(time), "", time, WRAP_PROMISE, "at most", "ns")


def main() -> None:
    with workers(SIDES) as sides:
        print(table(codec_rows(sides)))


if __name__ == "__main__":
    main()
