"""A prompt as a value: what is asked for, what came back, and how it is filled in."""
