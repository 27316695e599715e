"""Whatever is allowed gives a state that can be: a small part of `python -m tests.proof valid`."""

import numpy as np
from proof.valid import corners, drawn, tried


def test_configurations_drawn_from_all_that_is_allowed_give_states_that_can_be():
    rng = np.random.default_rng(1)
    assert [tried(drawn(rng)) for _ in range(20)] == [""] * 20


def test_numbers_at_the_ends_of_their_ranges_and_longest_steps_give_states_that_can_be():
    cases = list(corners())[::12]
    assert len(cases) > 50
    assert {label: wrong for label, params in cases if (wrong := tried(params))} == {}
