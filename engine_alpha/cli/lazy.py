"""Groups of commands whose modules load when they are asked for: `chloe --help` must not wait for any."""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMPLETING = "_CHLOE_COMPLETE"
"""Set by the shell's script while it asks for completions."""


class LazyGroup(click.Group):
    """A group that knows its commands by name, place and one line of help.

    `lazy` maps a name to (module:object, help); the order is that of the help.
    """

    def __init__(self, *args: Any, lazy: dict[str, tuple[str, str]] | None = None, **more: Any) -> None:
        super().__init__(*args, **more)
        self.lazy = lazy or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return [*self.lazy, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, loading its module; while a shell asks, one that knows what to offer."""
        found = self._found(ctx, cmd_name)
        if found is None or COMPLETING not in os.environ:
            return found
        from engine_alpha.cli.completing import offering

        return offering(found)

    def _found(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.lazy:
            return super().get_command(ctx, cmd_name)
        module, _, name = self.lazy[cmd_name][0].partition(":")
        found = getattr(import_module(f"engine_alpha.cli.{module}"), name)
        assert isinstance(found, click.Command)
        return found

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Return what may follow: commands by name, without loading them, and options."""
        if not self.lazy:
            return super().shell_complete(ctx, incomplete)
        from engine_alpha.cli.completing import names_of

        return [*names_of(self.lazy, incomplete), *click.Command.shell_complete(self, ctx, incomplete)]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that `args` begin with; for an unknown one name the nearest."""
        if args and args[0] not in self.list_commands(ctx) and not args[0].startswith("-"):
            import difflib

            close = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(self.list_commands(ctx))}"
            ctx.fail(f'no command "{args[0]}"; {hint}')
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from what is known without loading them."""
        if not self.lazy:
            super().format_commands(ctx, formatter)
            return
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.lazy.items()])
