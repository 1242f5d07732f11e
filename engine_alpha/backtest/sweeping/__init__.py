"""Parts of a sweep: what is varied, how it is sampled and evaluated, and what its results are worth."""
