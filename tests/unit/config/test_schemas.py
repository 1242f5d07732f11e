"""The shipped JSON Schemas say what the code accepts."""

import json
from pathlib import Path

from engine_alpha.config.assets import RISK_BUCKETS
from engine_alpha.config.reading import read_json
from engine_alpha.config.schemas import schemas, write_schemas
from engine_alpha.domain.asset import TIMEFRAME_MS

CONFIG = Path(__file__).parents[3] / "config"


def test_the_shipped_schemas_are_current() -> None:
    folder = CONFIG / "schemas"
    shipped = {path.name: path.read_text() for path in folder.iterdir()}
    assert shipped == schemas(), "run write_schemas(Path('config/schemas'))"


def test_schemas_are_written(tmp_path: Path) -> None:
    write_schemas(tmp_path / "new")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "asset_registry.schema.json",
        "card.schema.json",
        "engine.schema.json",
        "parameters.schema.json",
        "research.schema.json",
        "risk.schema.json",
    ]


def test_the_registrys_schema_knows_keys_and_values() -> None:
    schema = json.loads(schemas()["asset_registry.schema.json"])
    entry = schema["$defs"]["AssetEntry"]
    assert entry["additionalProperties"] is False
    assert entry["properties"]["base_timeframe"]["enum"] == list(TIMEFRAME_MS)
    assert entry["properties"]["risk_bucket"]["enum"] == list(RISK_BUCKETS)
    assert sorted(entry["required"]) == sorted(entry["properties"])


def test_each_shipped_file_names_its_schema() -> None:
    for name in ("asset_registry", "engine", "risk", "parameters/default"):
        path = CONFIG / f"{name}.json"
        assert (path.parent / read_json(path)["$schema"]).is_file()
