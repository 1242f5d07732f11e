"""The shape of the code: small functions and files, imports on top, one list of coins, no registry host."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "engine_alpha"
SOURCES = sorted(PACKAGE.rglob("*.py"))
ALL_PYTHON = sorted([*SOURCES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")])
COMPILED_KERNEL = [p for p in SOURCES if p.parent == PACKAGE / "kernel" and p.name != "signals.py"]

MOST_FUNCTION_LINES = 60
MOST_FILE_LINES = 500
MOST_ARGUMENTS = 6
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}
MAY_IMPORT_LATE = ("loop/wiring.py", "cli/", "__main__.py")
COIN = re.compile(r"\b(?:ETH|BTC|SOL|AVAX|LINK|MATIC|POL|ATOM|BNB|DOT|ADA|XRP|DOGE)(?:USDT|/USDT\S*)?\b")

# Numba has no form of these that agrees with Python to the last bit (DESIGN §2).
BANNED_CALLS = {"sum", "any", "all", "getattr", "setattr", "isinstance", "print", "open"}
BANNED_METHODS = {"_replace", "_asdict", "exp", "log", "log2", "log10", "log1p", "tanh", "fsum", "pow"}
BANNED_NUMPY = {"sum", "mean", "std", "var", "dot", "matmul", "cumsum", "convolve", "vdot", "inner", "nansum"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=name_of(path))


def functions_of(path: Path) -> Iterator[Function]:
    return (node for node in ast.walk(tree_of(path)) if isinstance(node, Function))


def every(paths: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", paths, ids=name_of)


@every(ALL_PYTHON)
def test_a_file_is_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_FILE_LINES


@every(ALL_PYTHON)
def test_a_function_is_short(path: Path) -> None:
    lengths = {f.name: (f.end_lineno or f.lineno) - f.lineno + 1 for f in functions_of(path)}
    assert {name: n for name, n in lengths.items() if n > MOST_FUNCTION_LINES} == {}


@every(SOURCES)
def test_a_function_takes_few_arguments(path: Path) -> None:
    counts = {f.name: len(f.args.posonlyargs + f.args.args + f.args.kwonlyargs) for f in functions_of(path)}
    assert {name: n for name, n in counts.items() if n > MOST_ARGUMENTS} == {}


@every(SOURCES)
def test_imports_stand_at_the_top_and_are_absolute(path: Path) -> None:
    tree = tree_of(path)
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    relative = [node.lineno for node in imports if isinstance(node, ast.ImportFrom) and node.level]
    assert relative == [], "relative imports"
    if not path.relative_to(PACKAGE).as_posix().startswith(MAY_IMPORT_LATE):
        late = {n.lineno for f in functions_of(path) for n in ast.walk(f) if n in imports}
        assert late == set(), "imports inside a function"


@every(SOURCES)
def test_a_module_says_what_it_is_about(path: Path) -> None:
    assert VAGUE_NAMES.isdisjoint(path.relative_to(PACKAGE).with_suffix("").parts)


@every(COMPILED_KERNEL)
def test_the_kernel_stays_inside_the_compiled_subset(path: Path) -> None:
    assert list(outside_the_subset(tree_of(path))) == []


def outside_the_subset(tree: ast.Module) -> Iterator[str]:
    """Name each use of what Numba lacks, or computes to other bits than Python does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from outside_a_named_tuple(node)
        elif isinstance(node, ast.Attribute):
            of_numpy = isinstance(node.value, ast.Name) and node.value.id in {"np", "numpy"}
            if node.attr in BANNED_METHODS or (of_numpy and node.attr in BANNED_NUMPY):
                yield f"line {node.lineno}: .{node.attr}"
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            yield f"line {node.lineno}: @"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in BANNED_CALLS:
                yield f"line {node.lineno}: {node.func.id}()"
            elif node.func.id == "round" and len(node.args) + len(node.keywords) > 1:
                yield f"line {node.lineno}: round(x, n)"


def outside_a_named_tuple(node: ast.ClassDef) -> Iterator[str]:
    """Name each method, property or default: a kernel value has fields only."""
    for part in node.body:
        if isinstance(part, Function) or (isinstance(part, ast.AnnAssign) and part.value is not None):
            yield f"line {part.lineno}: {node.name} has more than plain fields"


@pytest.mark.parametrize(
    "source",
    [
        "sum(xs)",
        "round(x, 2)",
        "p._replace(a=1)",
        "np.sum(xs)",
        "xs @ ys",
        "math.exp(x)",
        "class P(NamedTuple):\n    a: int = 0",
    ],
)
def test_the_subset_check_sees_what_is_banned(source: str) -> None:
    assert len(list(outside_the_subset(ast.parse(source)))) == 1


def test_the_subset_check_lets_plain_arithmetic_pass() -> None:
    source = "class P(NamedTuple):\n    a: int\n\ndef f(x, p):\n    return P(round(abs(x) // 2) + p.a)"
    assert list(outside_the_subset(ast.parse(source))) == []


@every(SOURCES)
def test_one_list_of_symbols(path: Path) -> None:
    """Coins are listed once, in config/asset_registry.json (and by venue in config/instruments/).

    An example in a docstring or a message is no list; three coins in the code of one file are.
    """
    tree = tree_of(path)
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    strings = (n for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str))
    coins = {coin for n in strings if id(n) not in documentation for coin in COIN.findall(str(n.value))}
    assert len(coins) < 3, sorted(coins)


def test_locked_requirements_name_no_address() -> None:
    listed = [*(ROOT / "requirements").iterdir(), ROOT / "pyproject.toml", ROOT / "Makefile"]
    written = {name_of(p): re.findall(r"https?://[^'\s]\S*", p.read_text(encoding="utf-8")) for p in listed}
    assert {name: found for name, found in written.items() if found} == {}


@every(sorted((ROOT / "docs").rglob("*.md")))
def test_docs_name_no_package_index(path: Path) -> None:
    hosts = re.compile(r"--(?:extra-)?index-url|pypi\.org|pythonhosted|registry\.npmjs", re.IGNORECASE)
    assert hosts.findall(path.read_text(encoding="utf-8")) == []
