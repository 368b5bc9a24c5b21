"""Guess which of the known names a person meant."""

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `(did you mean "avgRate"? there are avgRate, minRadius)`, without the guess where
    no known name is near.

    >>> did_you_mean("avgRat", ["avgRate", "minRadius"])
    '(did you mean "avgRate"? there are avgRate, minRadius)'
    >>> did_you_mean("volume", ["avgRate"])
    '(there is avgRate)'
    """
    names = list(known)
    by_lower_case = {known_name.lower(): known_name for known_name in names}
    near = difflib.get_close_matches(name.lower(), by_lower_case, n=1, cutoff=0.6)
    guess = f'did you mean "{by_lower_case[near[0]]}"? ' if near else ""
    return f"({guess}there {'is' if len(names) == 1 else 'are'} {', '.join(names) or 'none'})"
