"""What an error of a store says, and what to do about it."""

from __future__ import annotations

_CLASSES = ("MovedError", "AskError", "ClusterCrossSlotError")  # of redis-py and valkey-py
_BEGINNINGS = ("MOVED ", "ASK ", "CROSSSLOT ")  # of the server's own text, in older versions of them


def is_of_a_node(error: BaseException) -> bool:
    """Whether one node of a cluster was asked as if it had everything."""
    return type(error).__name__ in _CLASSES or str(error).startswith(_BEGINNINGS)


def reason(error: BaseException) -> str:
    said = f"{type(error).__name__}: {error}"
    if is_of_a_node(error):
        return f"{said} (this is one node of a cluster: use a redis.RedisCluster, or RedisStore with a URL)"
    return said
