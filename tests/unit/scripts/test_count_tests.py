"""The count at the end of `make test` can be believed."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from tests.source_files import load_source

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "count_tests.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_source(SCRIPT)


def test_the_results_of_all_cargo_binaries_are_added(script: ModuleType) -> None:
    lines = [
        "running 3 tests\n",
        "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n",
        "test result: FAILED. 4 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out\n",
        "not a test result: ok. 9 passed; 9 failed; 9 ignored\n",
    ]

    count = script.count_cargo_lines(lines, 101)

    assert (count.passed, count.failed, count.skipped) == (7, 1, 2)
    assert not count.good


def test_a_junit_report_is_counted(script: ModuleType, tmp_path: Path) -> None:
    report = tmp_path / "junit.xml"
    report.write_text(
        '<testsuites><testsuite tests="10" failures="1" errors="2" skipped="3"/></testsuites>'
    )

    count = script.count_junit(report, 1)

    assert (count.passed, count.failed, count.skipped) == (4, 3, 3)


def test_a_run_without_tests_is_not_good(script: ModuleType) -> None:
    assert not script.count_cargo_lines([], 0).good


def test_a_runner_that_dies_is_not_good_and_says_so(script: ModuleType, tmp_path: Path) -> None:
    count = script.count_junit(tmp_path / "absent.xml", -11)

    assert not count.good
    assert "exit -11" in count.line("Python")
