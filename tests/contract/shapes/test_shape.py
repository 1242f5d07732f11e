"""The comparison itself: it finds what is missing, undocumented or of another type."""

from typing import Any

import pytest

from tests.contract.shapes.shape import FLAG, NULL, NUMBER, TEXT, differences

KIND = {"id": NUMBER, "name": TEXT, "rows": [{"ok": FLAG, "note?": TEXT}], "none": NULL}
TOLD = {"id": 1, "name": "a", "rows": [{"ok": True}, {"ok": False, "note": ""}], "none": None}


def test_a_reply_that_keeps_to_the_page_differs_in_nothing() -> None:
    assert differences(KIND, TOLD) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": "1"}, ["reply.id is text, documented as number"]),
        ({"id": True}, ["reply.id is flag, documented as number"]),
        ({"name": 1.5}, ["reply.name is number, documented as text"]),
        ({"none": ""}, ["reply.none is text, documented as null"]),
        ({"more": 1}, ["reply.more is not documented"]),
        ({"rows": {}}, ["reply.rows is no array"]),
        ({"rows": [[]]}, ["reply.rows[0] is no object"]),
        ({"rows": [{}]}, ["reply.rows[0].ok is missing"]),
        ({"rows": [{"ok": True, "note": 1}]}, ["reply.rows[0].note is number, documented as text"]),
    ],
)
def test_what_departs_from_the_page_is_named(change: dict[str, Any], words: list[str]) -> None:
    assert differences(KIND, TOLD | change) == words
