"""The live road driven by one seed: clock, network, disk and exchange are simulated, the engine is real."""
