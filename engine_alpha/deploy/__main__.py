"""Write the units of the standard places into a folder: `python -m engine_alpha.deploy deploy`."""

import sys
from pathlib import Path

from engine_alpha.deploy.units import STANDARD, unit_text

if __name__ == "__main__":
    for name in STANDARD.units:
        (Path(sys.argv[1]) / name).write_text(unit_text(name, STANDARD), encoding="utf-8")
