"""`chloe completion`: the script that teaches a shell the commands, the coins and the accounts."""

import click

from engine_alpha.cli.completing import script
from engine_alpha.cli.options import examples, home_option

SHELLS = ("bash", "zsh", "fish")


@click.command(
    epilog=examples(
        'eval "$(chloe completion bash)"                                   in ~/.bashrc',
        'eval "$(chloe completion zsh)"                                    in ~/.zshrc',
        "chloe completion fish > ~/.config/fish/completions/chloe.fish     once",
    )
)
@click.argument("shell", type=click.Choice(SHELLS))
@home_option
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print what makes a shell complete commands, options, coins and accounts of the home that is meant.

    Bash must be 4.4 or newer.
    """
    root = ctx.find_root().command
    assert isinstance(root, click.Group)
    click.echo(script(root, shell))
