"""Counts, and tells what became of the incarnation before; ``../counter`` in Python."""
# ruff: noqa: INP001 - the guest's tool loads this by path; a folder of guests is no package

from airssys_actor import Actor, Refused, Start


class Lifecycle(Actor):
    """The actor; the interface that it implements has this name."""

    name = "python-counter"
    version = "1.0.0"

    def start(self, start: Start) -> None:
        """Begin at nothing, whatever the incarnation before had counted."""
        self.count = 0
        self.incarnation = start.incarnation
        self.predecessor = start.restarted and start.restarted.detail

    def handle(self, message: object) -> dict[str, object]:
        """Serve ``{"Add": n}``, ``"Read"`` and ``{"Share": n}``."""
        match message:
            case {"Add": int(number)} if number >= 0:
                self.count += number
            case "Read":
                pass
            case {"Share": int(among)}:
                self.count //= among  # nobody looks for a zero here
            case _:
                raise Refused(f"Add, Read or Share, not {message!r}")
        return {
            "count": self.count,
            "incarnation": self.incarnation,
            "predecessor": self.predecessor,
        }
