"""A request's JSON body, read strictly; every fault is reported with its place."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, NoReturn

from chalicelib.errors import InvalidRequest

MAX_FAULTS: Final = 100
MAX_NAME_CHARACTERS: Final = 200
"""How much of the caller's own text an error repeats."""
MAX_INTEGER_DIGITS: Final = 400
"""More digits than any double has; Python itself refuses to read integers of more than 4,300."""

Place = tuple[str | int, ...]


def parse_object(text: str) -> dict[str, Any]:
    """A JSON object: no NaN or Infinity, no duplicate keys, no absurd depth or number.

    Raises:
        InvalidRequest: it is not one; `details` say where and why.
    """
    try:
        body = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_integer)
    except RecursionError:
        raise _invalid([_fault((), "nested too deeply", "json_too_deep")]) from None
    except _Suspect:
        raise _invalid(_suspects(text)) from None
    except json.JSONDecodeError as error:
        reason = f"{error.msg} (line {error.lineno}, column {error.colno})"
        raise _invalid([_fault((error.pos,), reason, "json_invalid")]) from None
    if not isinstance(body, dict):
        # Powertools would take the first element of a list for the body.
        reason = f"should be a JSON object, not {_kind(body)}"
        raise _invalid([_fault((), reason, "json_object_type")])
    return body


class _Suspect(ValueError):
    """JSON that this service does not take; where it stands is found by reading the text again."""


@dataclass(frozen=True, slots=True)
class _Marked:
    """Stands in the tree for a value that is not taken."""

    message: str
    type: str


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    body = dict(pairs)
    if len(body) != len(pairs):
        raise _Suspect
    return body


def _no_constant(_name: str) -> NoReturn:
    raise _Suspect


def _integer(text: str) -> int:
    if len(text) > MAX_INTEGER_DIGITS:
        raise _Suspect
    return int(text)


def _suspects(text: str) -> list[dict[str, Any]]:
    """Each suspect value of the text with its place, read anew: only refused requests pay for it."""
    try:
        tree = json.loads(
            text, object_pairs_hook=_marked_pairs, parse_constant=_marked_constant, parse_int=_marked_integer
        )
    except json.JSONDecodeError as error:
        return [_fault((error.pos,), error.msg, "json_invalid")]
    except RecursionError:
        return [_fault((), "nested too deeply", "json_too_deep")]
    return [_fault(place, mark.message, mark.type) for place, mark in islice(_marks(tree), MAX_FAULTS)]


def _marked_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for name, value in pairs:
        body[name] = _Marked("duplicate key", "json_duplicate_key") if name in body else value
    return body


def _marked_constant(name: str) -> _Marked:
    return _Marked(f"{name} is not a JSON number", "json_not_a_number")


def _marked_integer(digits: str) -> int | _Marked:
    is_too_long = len(digits) > MAX_INTEGER_DIGITS
    return _Marked("a number of too many digits", "json_number_too_long") if is_too_long else int(digits)


def _marks(tree: object) -> Iterator[tuple[Place, _Marked]]:
    """The marks of a tree in the order of the text; without recursion, since the tree may be deep."""
    unvisited: list[tuple[Place, Any]] = [((), tree)]
    while unvisited:
        place, value = unvisited.pop()
        if isinstance(value, _Marked):
            yield place, value
        elif isinstance(value, dict):
            unvisited.extend(((*place, name[:MAX_NAME_CHARACTERS]), item) for name, item in reversed(value.items()))
        elif isinstance(value, list):
            unvisited.extend(((*place, index), item) for index, item in reversed(list(enumerate(value))))


def _kind(value: object) -> str:
    kinds: dict[type, str] = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return kinds.get(type(value), "a number")


def _fault(place: Place, message: str, kind: str) -> dict[str, Any]:
    return {"loc": ["body", *place], "msg": message, "type": kind}


def _invalid(faults: list[dict[str, Any]]) -> InvalidRequest:
    return InvalidRequest(faults)
