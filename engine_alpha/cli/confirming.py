"""Ask a person before something that touches money."""

import sys

import click


def confirmed(question: str, word: str) -> bool:
    """Ask on standard error for a word, typed as it is; no answer is a no."""
    click.echo(f"{question}\nType {word} to go on: ", nl=False, err=True)
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        click.echo(err=True)
    return answer.strip() == word
