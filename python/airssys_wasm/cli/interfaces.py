"""``airssys-wasm interfaces``: where the WIT of ``airssys:*`` lies."""

from __future__ import annotations

import typer

from airssys_wasm.cli.screen import Screen
from airssys_wasm.sdk.sources import interfaces_root

NAME = "interfaces"
HELP = "Print the folder of the airssys:* interfaces, to copy into a guest's wit/deps."


def command(context: typer.Context) -> None:
    """Print the folder."""
    context.ensure_object(Screen).data(str(interfaces_root()))
