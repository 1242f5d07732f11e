"""Run the command line: `python -m engine_alpha` is `chloe`."""

from engine_alpha.environment import require_environment

if __name__ == "__main__":
    require_environment()
    from engine_alpha.cli import main

    main()
