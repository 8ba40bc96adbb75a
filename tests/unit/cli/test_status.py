from __future__ import annotations

import pytest

from airssys_wasm import Variant, errors
from airssys_wasm.cli.status import Status, spoken, status_of

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
    "ActorFailed": 1,
    "ActorNotFound": 1,
    "ActorStopped": 1,
    "AskTimeout": 1,
    "ChildInvalid": 3,
    "CircuitOpen": 1,
    "CodecError": 7,
    "HandlerRefusal": 1,
    "LetterNotFound": 1,
    "MailboxClosed": 1,
    "MailboxFull": 1,
    "MessageDropped": 1,
    "MessageRefused": 1,
    "MessageTooLarge": 7,
    "MessagingError": 1,
    "NameTaken": 3,
    "SubscriptionsFull": 1,
    "SupervisionError": 1,
    "TopicInvalid": 7,
}


def test_the_table_has_a_row_for_every_error() -> None:
    assert TABLE.keys() == set(errors.__all__)


@pytest.mark.parametrize(("name", "status"), TABLE.items())
def test_an_error_ends_in_its_status(name: str, status: int) -> None:
    assert status_of(getattr(errors, name)("what happened")) == status


def test_the_numbers_are_those_that_scripts_know() -> None:
    assert [status.value for status in Status][:10] == list(range(10))


@pytest.mark.parametrize("separator", ["; hint: ", "\nhint: "])
def test_a_hint_of_the_error_itself_stands_in_place_of_ours(separator: str) -> None:
    ours = spoken(errors.OutOfMemory("2 MiB were too little"))
    its_own = spoken(errors.OutOfMemory(f"2 MiB were too little{separator}allow more"))

    assert ours[0] == its_own[0] == "2 MiB were too little"
    assert "--memory" in ours[1]
    assert its_own[1] == "allow more"


@pytest.mark.parametrize("name", ["LimitInvalid", "EngineError", "CompileRefused"])
def test_a_hint_for_python_gives_way_to_ours(name: str) -> None:
    what, hint = spoken(getattr(errors, name)("too much; hint: raise Engine(instances_max=...)"))

    assert what == "too much"
    assert hint == spoken(getattr(errors, name)("too much"))[1] != ""
    assert "instances_max" not in hint


def test_missing_imports_are_named_without_what_python_gives_for_them() -> None:
    missing = (("wasi:sockets/tcp@0.2.0", "Grant(network=[...])"), ("acme:a/b", "imports={...}"))
    told = 'component "x" imports what it was not given:\n  wasi…\n    hint: Grant(network=[...])'

    assert spoken(errors.ImportMissing(told, missing))[0].splitlines() == [
        'component "x" imports what it was not given:',
        "  wasi:sockets/tcp@0.2.0",
        "  acme:a/b",
    ]


def test_a_build_that_never_ran_a_tool_points_at_no_words_of_one() -> None:
    assert spoken(errors.BuildError("no guest"))[1] == ""
    assert "stand above" in spoken(errors.BuildError("no guest\nerror: x\n", "error: x\n"))[1]


def test_what_a_compiler_said_is_not_taken_for_a_hint() -> None:
    said = "does not compile\nhint: see\nline 2"

    assert spoken(errors.BuildError(said))[0] == said


def test_a_missing_file_is_no_defect_of_ours() -> None:
    missing = FileNotFoundError(2, "No such file or directory", "no.wasm")

    assert status_of(missing) is Status.GENERAL
    assert spoken(missing) == (
        "no.wasm: No such file or directory",
        "check the path and its permissions",
    )


def test_the_answer_of_a_component_is_said_to_be_one() -> None:
    assert spoken(errors.ComponentError("no words"))[0].endswith("with an error: no words")
    busy = errors.ComponentError(Variant("busy", {"seconds": 3}))
    assert spoken(busy)[0].endswith('with an error: {"case": "busy", "value": {"seconds": 3}}')
    assert spoken(errors.ComponentError(self_made := object()))[0].endswith(repr(self_made))
