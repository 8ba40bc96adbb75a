from __future__ import annotations

import pytest

from airssys_wasm import errors
from airssys_wasm.cli.status import Status, hint_of, status_of

TABLE = {
    "AirssysError": 1,
    "ComponentInvalid": 7,
    "ImportMissing": 6,
    "ExportMissing": 7,
    "ValueMismatch": 7,
    "ComponentError": 1,
    "ComponentFailed": 1,
    "Trapped": 1,
    "CallTimeout": 1,
    "FuelExhausted": 1,
    "OutOfMemory": 1,
    "InstanceBusy": 1,
    "InstanceClosed": 1,
    "ReentrantCall": 1,
    "LimitInvalid": 3,
    "EngineError": 3,
    "CompileRefused": 3,
    "CapacityExhausted": 3,
    "WitInvalid": 7,
    "BuildError": 8,
    "CapabilityDenied": 6,
}


def test_the_table_has_a_row_for_every_error() -> None:
    assert TABLE.keys() == set(errors.__all__)


@pytest.mark.parametrize(("name", "status"), TABLE.items())
def test_an_error_ends_in_its_status(name: str, status: int) -> None:
    assert status_of(getattr(errors, name)("what happened")) == status


def test_the_numbers_are_those_that_scripts_know() -> None:
    assert [status.value for status in Status][:10] == list(range(10))


def test_a_hint_of_the_error_itself_is_not_said_twice() -> None:
    assert hint_of(errors.OutOfMemory("2 MiB were too little"))
    assert not hint_of(errors.OutOfMemory("2 MiB were too little\nhint: allow more"))


def test_a_missing_file_is_no_defect_of_ours() -> None:
    assert status_of(FileNotFoundError("no.wasm")) is Status.GENERAL
    assert "path" in hint_of(FileNotFoundError("no.wasm"))
