"""How sure a result is: ratios, intervals, pooling, folds, overfitting, calibration. Functions of arrays."""
