"""The lock: which version of each prompt a deployment serves, by its ID and a hash of what is served."""
