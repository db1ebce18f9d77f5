"""called_like: a function takes, and shows, the parameters of a method."""

from __future__ import annotations

import inspect
import typing
from typing import Any, Optional

import pytest

from scope_client.frameworks import called_like


class Reader:
    def read(self, name: str, *, label: Optional[str] = None) -> bytes:
        return f"{name} {label}".encode()


@called_like(Reader.read)
def read(*name: Any, **options: Any) -> str:
    """Of the one reader."""
    return Reader().read(*name, **options).decode()


def test_it_passes_on_what_the_method_takes() -> None:
    assert read("a") == "a None"
    assert read(name="a", label="b") == "a b"
    with pytest.raises(TypeError, match="lable"):
        read("a", lable="b")


def test_it_shows_the_parameters_of_the_method_and_a_result_of_its_own() -> None:
    assert str(inspect.signature(read)) == "(name: 'str', *, label: 'Optional[str]' = None) -> 'str'"
    assert typing.get_type_hints(read) == {"name": str, "label": Optional[str], "return": str}
    assert (read.__name__, read.__doc__) == ("read", "Of the one reader.")


def test_the_method_stays_as_it_was() -> None:
    assert typing.get_type_hints(Reader.read)["return"] is bytes
    assert "self" in inspect.signature(Reader.read).parameters
