"""Whether a symbol that was typed is one."""

from engine_alpha.errors import ConfigError
from engine_alpha.home import Home


def require_known(home: Home, symbol: str) -> None:
    """Raise `ConfigError` for a symbol that the registry lacks; a broken registry knows none: any will do."""
    from engine_alpha.config.assets import read_registry, unknown_symbol

    try:
        registry = read_registry(home.registry)
    except ConfigError:
        return
    known = [asset.symbol for asset in registry.assets] + [fault.symbol for fault in registry.faults]
    if symbol not in known:
        raise unknown_symbol(symbol, registry, home.registry)
