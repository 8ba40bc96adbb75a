"""A guest cannot drive the terminal of whoever reads its words."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.markdown import Markdown

from airssys_wasm.cli.printable import printable, printable_json
from airssys_wasm.cli.screen import Screen, console
from airssys_wasm.demo.render import render
from airssys_wasm.demo.scenes import Cost, Counted, Recovered, Refused, Reported, Restart
from airssys_wasm.demo.show import Show

# ESC, DEL, CSI and OSC of C1, right-to-left override, line separator, a tag.
DRIVING = "\x1b[31m \x7f \x9b31m \x9d0;owned\x9c \u202eevil \u2028 \U000e0041 \r"
DRIVERS = set("\x1b\x7f\x9b\x9d\x9c\u202e\u2028\U000e0041\r")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def screen_and_streams(stream: type) -> tuple[Screen, Any, Any]:
    out, err = stream(), stream()
    return Screen(out=console(out), err=console(err)), out, err


@given(st.text() | st.text('\x00\x1b\x7f\x9b\u202e\ud800\U000e0041\n\t\\"a'))
def test_json_reads_back_as_it_was(text: str) -> None:
    written = printable_json({text: [text]})

    assert written.isprintable()
    assert json.loads(written) == {text: [text]}


@given(st.text())
def test_text_keeps_all_that_is_printable(text: str) -> None:
    written = printable(text)

    assert written.replace("\n", "").replace("\t", "").isprintable()
    assert [c for c in text if c.isprintable() or c in "\n\t"] == list(written) or written != text


def test_letters_of_all_kinds_stay_and_drivers_are_named() -> None:
    assert printable("größe 词 🙂\n\tx") == "größe 词 🙂\n\tx"
    assert printable("\x9b\u202e\x7f") == r"\u{9b}\u{202e}\u{7f}"
    assert printable_json("\x9b\u202e\x7f é") == r'"\u009b\u202e\u007f é"'


@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
def test_no_way_through_the_screen_drives_it(stream: type) -> None:
    screen, out, err = screen_and_streams(stream)

    screen.lines(DRIVING)
    screen.json({DRIVING: DRIVING})
    screen.out.print(DRIVING, markup=False, style="")
    screen.error(DRIVING, hint=DRIVING)

    written = out.getvalue() + err.getvalue()
    # The screen's own colours are all that is left, and a pipe has none.
    for own in ("\x1b[1;31m", "\x1b[1;36m", "\x1b[0m"):
        assert stream is Terminal or own not in written
        written = written.replace(own, "")
    assert written.count("evil") == 6
    assert not DRIVERS & set(written)


def test_markdown_cannot_spell_what_it_may_not_contain() -> None:
    screen, out, _ = screen_and_streams(Terminal)

    screen.out.print(Markdown("&#x202e;evil <http://a.example/%1b%9b%C2%9b2J>"))

    assert "evil" in out.getvalue()
    assert not {"\u202e", "\x9b"} & set(out.getvalue())
    assert "\x1b[2J" not in out.getvalue()
    assert r"\u{202e}" in out.getvalue()


def test_a_text_with_the_name_of_an_emoji_stays_a_text() -> None:
    screen, _, err = screen_and_streams(Terminal)

    screen.error("component ':warning:'")

    assert ":warning:" in err.getvalue()


COST = Cost(0.1, None, 1 << 20, 0, 1, 1)
RESTART = Restart(DRIVING, DRIVING, DRIVING, 1, 3, 0.1, 2)
COUNTED = Counted(1, 1, 1, {DRIVING: 1}, {DRIVING: 1}, (RESTART,), 0.1)
SHOW = Show(
    reported=Reported(
        f"{DRIVING}.txt", {}, f"# {DRIVING}\n\n[here](http://bad.example)\n", {"reader": COST}
    ),
    recovered=Recovered(DRIVING, 1, 1, 1, {DRIVING: 1}, COUNTED, COUNTED),
    attacked=(),
    refused=Refused(DRIVING, DRIVING, "ImportMissing", DRIVING, ((DRIVING, DRIVING),)),
    seconds=1.0,
)


@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
def test_the_demo_shows_what_guests_say_without_obeying(
    stream: type,
) -> None:
    screen, out, _ = screen_and_streams(stream)

    render(replace(SHOW), screen.out)

    written = out.getvalue()
    assert written.count("evil") >= 8
    assert not (DRIVERS - {"\x1b"}) & set(written)
    assert "\x1b[31m " not in written
    assert "\x1b]8" not in written, "a link that hides where it leads"
    assert "http://bad.example" in written
