"""A module with a typed function for each prompt of a folder or a lock."""
