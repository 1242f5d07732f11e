"""HTML as values: text is escaped unless it is HTML already, so no name can become markup."""

from html import escape

Attribute = str | int | None


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def html(text: str) -> Html:
    """Return text as HTML: escaped, unless it was HTML before."""
    return text if isinstance(text, Html) else Html(escape(text, quote=True))


def joined(*parts: str) -> Html:
    """Return parts one after the other, text among them escaped."""
    return Html("".join(html(part) for part in parts))


def element(name: str, /, *children: str, **attributes: Attribute) -> Html:
    """Return <name attributes>children</name>.

    An attribute loses a trailing underscore, other underscores become hyphens; None leaves it out, "" stands
    for one without a value.
    """
    return Html(f"<{name}{_written(attributes)}>{joined(*children)}</{name}>")


def empty(name: str, /, **attributes: Attribute) -> Html:
    """Return an element that has no content: <name attributes>."""
    return Html(f"<{name}{_written(attributes)}>")


def _written(attributes: dict[str, Attribute]) -> str:
    return "".join(
        f' {name.rstrip("_").replace("_", "-")}="{html(str(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
