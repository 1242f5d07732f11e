"""One folder is the home, chosen by rule, and a fresh one is written whole or not at all."""

from importlib.resources import files
from pathlib import Path

import pytest

from engine_alpha.config.assets import read_registry
from engine_alpha.errors import ConfigError
from engine_alpha.home import VARIABLE, Home, current_home, find_home, init_home


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setenv("HOME", str(tmp_path / "person"))
    monkeypatch.delenv(VARIABLE, raising=False)


def a_home(path: Path) -> Path:
    (path / "config").mkdir(parents=True)
    (path / "config" / "asset_registry.json").write_text("{}")
    return path


def test_homes_are_found_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    default = a_home(tmp_path / "person/.local/share/chloe")
    assert current_home() == Home(default)
    here = a_home(tmp_path / "here")
    monkeypatch.chdir(here)
    assert current_home() == Home(here)
    named = a_home(tmp_path / "named")
    monkeypatch.setenv(VARIABLE, str(named))
    assert current_home() == Home(named)
    explicit = a_home(tmp_path / "explicit")
    assert find_home(explicit) == find_home(str(explicit)) == Home(explicit)


def test_an_empty_variable_counts_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "")
    monkeypatch.chdir(a_home(tmp_path / "here"))
    assert current_home() == Home(tmp_path / "here")


def test_a_folder_without_a_registry_is_refused_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match=f"chloe init --home {tmp_path}/none"):
        find_home(tmp_path / "none")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "other"))
    with pytest.raises(ConfigError, match=f"chloe init --home {tmp_path}/other"):
        find_home()
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(ConfigError, match=r"chloe init --home .*/\.local/share/chloe"):
        find_home()


def test_a_relative_home_does_not_move_with_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_home(tmp_path / "here")
    monkeypatch.chdir(tmp_path)
    home = find_home("here")
    monkeypatch.chdir("/")
    assert home.registry.exists()


def test_a_home_names_its_places() -> None:
    home = Home(Path("/h"))
    places = [home.config, home.registry, home.risk, home.engine, home.cards, home.instruments]
    places += [home.parameters, home.state, home.data, home.reports, home.account("paper")]
    assert [str(place)[3:] for place in places] == [
        "config",
        "config/asset_registry.json",
        "config/risk.json",
        "config/engine.json",
        "config/cards",
        "config/instruments",
        "config/parameters",
        "state",
        "data",
        "reports",
        "state/paper",
    ]


def test_a_fresh_home_has_all_that_is_shipped(tmp_path: Path) -> None:
    written = init_home(tmp_path / "new" / "home")
    home = find_home(tmp_path / "new" / "home")
    assert written[-1] == home.registry
    assert {home.engine, home.risk} <= set(written)
    assert [asset.symbol for asset in read_registry(home.registry).assets if asset.enabled] == ["ETHUSDT"]
    shipped = Path(str(files("engine_alpha"))).parent / "config"
    if shipped.is_dir():
        assert {path.relative_to(home.config) for path in written} == {
            path.relative_to(shipped) for path in shipped.rglob("*.json")
        }


def test_a_home_is_not_made_twice(tmp_path: Path) -> None:
    init_home(tmp_path)
    with pytest.raises(ConfigError, match="is a home already"):
        init_home(tmp_path)


def test_a_file_of_the_owner_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "risk.json").write_text("{} // mine")
    with pytest.raises(ConfigError, match=r"would overwrite .*risk\.json"):
        init_home(tmp_path)
    assert [path.name for path in (tmp_path / "config").iterdir()] == ["risk.json"]
    assert (tmp_path / "config" / "risk.json").read_text() == "{} // mine"


def test_an_interrupted_init_can_be_repeated(tmp_path: Path) -> None:
    home = Home(tmp_path)
    init_home(tmp_path)
    home.registry.unlink()
    init_home(tmp_path)
    assert find_home(tmp_path) == home


def test_a_folder_that_cant_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="can't be written"):
        init_home(tmp_path / "file")
