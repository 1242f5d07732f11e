"""Check parsed configuration against a model, and say in plain words which key is wrong and how."""

import difflib
import json
import re
import typing
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, ValidationError
from pydantic_core import ErrorDetails, core_schema

from engine_alpha.config.reading import KeyPath, Source, dotted
from engine_alpha.errors import ConfigError


class Strict(BaseModel):
    """A model that knows all its keys and converts nothing: no "true" for true, no 1 for true."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


_PLAIN_WORDS = (
    (r"a valid dictionary( or instance of \w+)?", "an object {...}"),
    ("a valid tuple", "a list [...]"),
    ("a valid boolean", "true or false"),
    ("a valid integer", "a whole number"),
    ("a valid number", "a number"),
    ("a valid string", "a text in double quotes"),
    (" after validation", ""),
)

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class OneOf:
    """Annotate a string that must be one of these."""

    values: tuple[str, ...]

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.literal_schema(list(self.values))


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a configuration: the key's path, and what to write instead."""

    path: KeyPath
    message: str
    twice: bool = False

    def __str__(self) -> str:
        return f"{dotted(self.path)}: {self.message}" if self.path else self.message

    def where(self, source: Source, below: KeyPath = ()) -> str:
        """Return "file:line:column" in a source where the checked value stands at `below`."""
        path = (*below, *self.path)
        return source.where_repeated(path[:-1], str(path[-1])) if self.twice else source.where(path)


def check(
    model: type[Model], value: Any, whole_file: bool = False
) -> tuple[Model | None, tuple[Problem, ...]]:
    """Return the model made of `value`, or None and all that is wrong; a whole file may name its $schema."""
    if not isinstance(value, dict):
        return None, (Problem((), f"must be an object {{...}}, not {shown(value)}"),)
    problems = repeated_keys(value)
    plain = {key: inner for key, inner in value.items() if not (whole_file and key == "$schema")}
    try:
        good = model.model_validate(plain)
    except ValidationError as error:
        problems += tuple(_problem(model, detail) for detail in error.errors(include_url=False))
        return None, problems
    return (None if problems else good), problems


def require(model: type[Model], value: Any, source: Source) -> Model:
    """Return the model made of a whole file; raise `ConfigError` that lists every problem with its place."""
    good, problems = check(model, value, whole_file=True)
    if good is None:
        lines = [f"{problem.where(source)}: {problem}" for problem in problems]
        raise ConfigError("\n".join(lines))
    return good


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word most like `word`, ignoring case; None if none is like it."""
    by_fold = {each.casefold(): each for each in known}
    close = difflib.get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.5)
    return by_fold[close[0]] if close else None


def advice(word: str, known: Iterable[str]) -> str:
    """Return 'did you mean "x"?' or, if nothing is near, the list of what is known."""
    names = list(known)
    guess = nearest(word, names)
    return f'did you mean "{guess}"?' if guess else f"known: {', '.join(names)}"


def shown(value: Any) -> str:
    """Return a value as it stands in the file, shortened."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def given_twice(path: KeyPath) -> Problem:
    """Return the problem of a repeated key."""
    return Problem(path, "is given twice; keep one of the two", twice=True)


def repeated_keys(value: Any, path: KeyPath = ()) -> tuple[Problem, ...]:
    """Return a problem for every key given twice, at any depth."""
    found: list[Problem] = []
    for key in getattr(value, "repeated", ()):
        found.append(given_twice((*path, key)))
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found.extend(repeated_keys(inner, (*path, key)))
    return tuple(found)


def _problem(model: type[BaseModel], detail: ErrorDetails) -> Problem:
    path, given = tuple(key for key in detail["loc"] if key != "[key]"), detail["input"]
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return Problem(path, f"unknown key; {advice(str(path[-1]), _keys_at(model, path[:-1]))}")
    if kind == "missing":
        return Problem(path, "is missing; add it")
    if kind == "literal_error":
        wanted = context["expected"].replace("'", '"')
        guess = nearest(given, re.findall(r'"([^"]*)"', wanted)) if isinstance(given, str) else None
        hint = f'; did you mean "{guess}"?' if guess else ""
        return Problem(path, f"must be {wanted}, not {shown(given)}{hint}")
    if kind == "value_error":
        return Problem(path, str(context["error"]))
    message = re.sub(r"^\w+ should ", "must ", detail["msg"])
    for formal, plain in _PLAIN_WORDS:
        message = re.sub(formal, plain, message)
    return Problem(path, f"{message}, not {shown(given)}")


def _keys_at(model: type[BaseModel], path: KeyPath) -> list[str]:
    """Return the keys known in the object at `path`, following lists, maps and unions of models."""
    annotations: list[Any] = [model]
    for key in path:
        annotations = [inner for each in annotations for inner in _step(each, key)]
    models = [each for each in annotations if isinstance(each, type) and issubclass(each, BaseModel)]
    return [name for each in models for name in each.model_fields]


def _step(annotation: Any, key: str | int) -> list[Any]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields.get(str(key))
        return _unfold(field.annotation) if field else [annotation]
    return [annotation]


def _unfold(annotation: Any) -> list[Any]:
    arguments = typing.get_args(annotation)
    return [inner for each in arguments for inner in _unfold(each)] if arguments else [annotation]
