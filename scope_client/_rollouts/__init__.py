"""Rollouts: a part of the keys gets another version than the one in production."""
