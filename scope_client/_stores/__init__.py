"""Stores: where a version may be kept for several clients, processes or machines."""
