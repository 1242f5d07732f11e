"""JSON Schemas of the configuration files, for editors: `config/schemas/*.schema.json`."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter

from engine_alpha.config.assets import AssetEntry
from engine_alpha.config.cards import CardConfig
from engine_alpha.config.engine import EngineConfig
from engine_alpha.config.parameters import ParametersConfig
from engine_alpha.config.research import ResearchConfig
from engine_alpha.config.risk import RiskConfig

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_FILES: dict[str, type[BaseModel]] = {
    "engine": EngineConfig,
    "risk": RiskConfig,
    "card": CardConfig,
    "parameters": ParametersConfig,
    "research": ResearchConfig,
}


def schemas() -> dict[str, str]:
    """Return file name and text of every schema."""
    made = {name: _open(model.model_json_schema()) for name, model in _FILES.items()}
    registry = TypeAdapter(dict[str, AssetEntry]).json_schema()
    entry = registry.pop("additionalProperties")
    registry["patternProperties"] = {"^[A-Z0-9]{2,20}$": entry}
    registry["additionalProperties"] = False
    made["asset_registry"] = _open(registry)
    return {
        f"{name}.schema.json": json.dumps({"$schema": _DIALECT, **schema}, indent=2, ensure_ascii=False)
        + "\n"
        for name, schema in made.items()
    }


def write_schemas(folder: Path) -> None:
    """Write every schema into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in schemas().items():
        (folder / name).write_text(text, encoding="utf-8")


def _open(schema: dict[str, Any]) -> dict[str, Any]:
    """Let a file name its own schema."""
    schema.setdefault("properties", {})["$schema"] = {"type": "string"}
    return schema
