"""A group of commands whose modules are imported only when one of them runs, so that `ioc --help` stays fast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar, cast

import typer
from typer.core import TyperCommand, TyperGroup

# What typer adds to a command line; `ioc` has it, its commands do not.
_COMPLETION = ("install_completion", "show_completion")


@dataclass(frozen=True)
class CommandEntry:
    """One command or group: what calls it, its help, and the module whose `attribute` is its typer app.

    The help comes before what else the command's own help says: `ioc` lists it without importing the module.
    """

    name: str
    module: str
    help: str
    attribute: str = "app"

    def load(self) -> TyperCommand | TyperGroup:
        """Import the module and return the command."""
        command = cast(
            TyperCommand | TyperGroup, typer.main.get_command(getattr(import_module(self.module), self.attribute))
        )
        command.params = [one for one in command.params if one.name not in _COMPLETION]
        further = (command.help or "").strip().split("\n\n")[1:]
        command.help = "\n\n".join((self.help, *further))
        return command


class LazyGroup(TyperGroup):
    """Lists commands by their entries and imports the one that is called.

    A subclass names the `entries`. Help of the group shows their texts; `ioc NAME --help` imports one module.
    """

    entries: ClassVar[Sequence[CommandEntry]] = ()

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for entry in self.entries:
            self.add_command(TyperCommand(entry.name, help=entry.help))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the command that the arguments name, imported."""
        name, command, rest = super().resolve_command(ctx, args)
        entry = next((entry for entry in self.entries if entry.name == name), None)
        return name, entry.load() if entry else command, rest
