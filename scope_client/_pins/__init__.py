"""Pins: one version of each prompt for as long as a block of code runs, and a token to go on with it elsewhere."""
