"""What the compiled road costs, figure by figure: `python -m benchmarks.road`."""
