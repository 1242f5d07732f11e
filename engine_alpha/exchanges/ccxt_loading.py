"""Load one exchange class of ccxt without the other hundred.

`import ccxt`, or any submodule of it, runs a package `__init__` that imports every exchange: twice the time
and 50 MiB more. So two light packages stand in for `ccxt` and `ccxt.async_support` from the first exchange
on; what else is asked of them they look up where ccxt keeps it. If that ever fails, say after an update
of ccxt, the plain import is used and a warning says so.
"""

import importlib
import importlib.util
import logging
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Final, Protocol, cast

from engine_alpha.errors import ConfigError

PACKAGE: Final = "ccxt"
ASYNC_PACKAGE: Final = "ccxt.async_support"
STAND_IN_MARK: Final = "chloe_stand_in"

_log = logging.getLogger(__name__)


class Exchange(Protocol):
    """What we use of a ccxt async exchange: endpoints by name, addresses, signing, its clock."""

    id: str
    urls: dict[str, Any]
    options: dict[str, Any]
    cafile: str
    fetch: Any

    def milliseconds(self) -> int:
        """Return this machine's time."""
        ...

    def set_sandbox_mode(self, enabled: bool) -> None:
        """Take the testnet's addresses."""
        ...

    def enable_demo_trading(self, enable: bool) -> None:
        """Take the demo's addresses."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class ExchangeClass(Protocol):
    """Builds an exchange from ccxt's configuration keys."""

    def __call__(self, config: Mapping[str, object]) -> Exchange:
        """Build it; nothing is sent."""
        ...


def load_exchange_class(name: str) -> ExchangeClass:
    """Return ccxt's async class `name` ("bybit", "binanceusdm"), loading no other exchange if possible."""
    loaded = sys.modules.get(PACKAGE)
    if loaded is None:
        _install_stand_ins()
    elif not hasattr(loaded, STAND_IN_MARK):
        return _exchange_class(name)  # the whole of ccxt is here already
    try:
        return _exchange_class(name)
    except (ImportError, AttributeError) as fault:
        _log.warning("ccxt: loading %s alone failed (%s); importing all of ccxt", name, fault)
        _remove_stand_ins()
        return _exchange_class(name)


def ccxt_error(name: str) -> type[Exception]:
    """Return an exception class of ccxt by name; for use after an exchange was loaded."""
    return cast(type[Exception], getattr(importlib.import_module("ccxt.base.errors"), name))


def _exchange_class(name: str) -> ExchangeClass:
    module = importlib.import_module(f"{ASYNC_PACKAGE}.{name}")
    return cast(ExchangeClass, getattr(module, name))


def _install_stand_ins() -> None:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError("ccxt is not installed, so no venue can be read: run `make run` or install chloe")
    root = spec.submodule_search_locations[0]
    outer = _StandIn(PACKAGE, root, "ccxt.base.exchange")
    inner = _StandIn(ASYNC_PACKAGE, f"{root}/async_support", "ccxt.async_support.base.exchange")
    sys.modules[PACKAGE], sys.modules[ASYNC_PACKAGE] = outer, inner
    vars(outer)["async_support"] = inner


def _remove_stand_ins() -> None:
    for name in [name for name in sys.modules if name == PACKAGE or name.startswith(f"{PACKAGE}.")]:
        del sys.modules[name]


class _StandIn(ModuleType):
    """A package without its `__init__`: finds errors, `Exchange` and exchange classes when asked."""

    def __init__(self, name: str, folder: str, base_module: str) -> None:
        super().__init__(name)
        self.__path__ = [folder]
        self.base_module = base_module
        setattr(self, STAND_IN_MARK, True)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        for place in ("ccxt.base.errors", self.base_module):
            found = getattr(importlib.import_module(place), name, None)
            if found is not None:
                return found
        raise AttributeError(f"{self.__name__} has no {name} (only one exchange is loaded; see {__name__})")
