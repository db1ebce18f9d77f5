"""The doctor: what is wrong with a set-up, step by step from the options to a prompt, and what to do about it."""
