"""Whatever is allowed gives a state that can be: a small part of `python -m tests.proof valid`."""

import numpy as np
import pytest

from tests.proof.valid import corners, drawn, tried


@pytest.mark.parametrize("seed", range(3))
def test_configurations_drawn_from_all_that_is_allowed_give_states_that_can_be(seed):
    rng = np.random.default_rng(seed)
    assert [tried(drawn(rng)) for _ in range(8)] == [""] * 8


@pytest.mark.parametrize("part", range(3))
def test_numbers_at_the_ends_of_their_ranges_and_longest_steps_give_states_that_can_be(part):
    cases = list(corners())[part::36]
    assert len(cases) > 20
    assert {label: wrong for label, params in cases if (wrong := tried(params))} == {}
