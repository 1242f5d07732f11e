"""How sure a result is: ratios, intervals, pooling, folds, overfitting, calibration. Pure functions of arrays."""
