"""Values of the parameter tree by their dotted path."""

import pytest
from conftest import loaded

from sim.values import value_of, with_values


def test_values_are_read_and_set_by_dotted_path_and_all_else_is_shared():
    fighters, p = "country.factions.rebels.fighters", loaded("mission=un_only")
    new = with_values(p, {fighters: 7, "prey.rate": 3.0})
    assert (value_of(new, fighters), value_of(new, "prey.rate"), value_of(p, fighters)) == (7, 3, 6000)
    assert new.judge is p.judge
    assert new.country.factions["militia"] is p.country.factions["militia"]


@pytest.mark.parametrize(("path", "said"), [
    ("prey.ratio", "prey has .*rate"), ("country.factions.nobody.bands", "country.factions has .*rebels"),
    ("weeks.first", "weeks has no parts"), ("pray.rate", "the configuration has .*prey"),
])  # fmt: skip
def test_a_path_that_is_none_is_named_with_what_is_there(path, said):
    for look in (lambda: value_of(loaded(), path), lambda: with_values(loaded(), {path: 1})):
        with pytest.raises(ValueError, match=f" is not a setting.*; {said}"):
            look()
