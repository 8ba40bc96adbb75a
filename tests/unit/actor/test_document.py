"""The example of docs/supervision.md does what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.unit.actor.fake_host import TRAPPED, FakeHost, statuses
from tests.unit.actor.virtual_time import settle, virtual

import airssys_wasm as aw
from airssys_wasm.actor import Supervisor

PAGE = Path(__file__).parents[3] / "docs" / "supervision.md"


@virtual
async def test_the_example_runs() -> None:
    code = re.search(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert code is not None
    names: dict[str, Any] = {}
    exec(code[1], names)  # noqa: S102 - our own page
    group = names["pipeline"]
    assert isinstance(group, aw.Group)

    host = FakeHost()
    supervisor = Supervisor(group, host)
    await supervisor.start()
    splitter = host.alive["acme/splitter"]
    host.alive["acme/analyser"].exits(TRAPPED)
    await settle(1.0)

    assert host.alive["acme/splitter"] is splitter
    assert len(host.reasons["acme/reporter"]) == 2
    assert set((await statuses(supervisor)).values()) == {"running"}
    await supervisor.stop()
    assert host.verbs("kill") == ["kill acme/reporter"] * 2
