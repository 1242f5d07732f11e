"""Made-up markets: without any edge, or with one of a known size. The whole procedure is judged on them."""
