"""What is likely a mistake gets a sentence, and nothing else does."""

import pytest

from td_mta.config.attribution import Config
from td_mta.config.attribution_advice import advice, page_advice


@pytest.mark.parametrize(("rate", "sentences"), [(0.4, 0), (0.6, 0), (0.0, 1), (0.39, 1), (0.7, 1)])
def test_dropout_outside_the_proven_range_is_advised_against(rate: float, sentences: int) -> None:
    found = advice(Config(dropout_rate=rate))
    assert len(found) == sentences
    assert all(f"dropout_rate is {rate:g}; values from 0.4 to 0.6" in s for s in found)


def test_the_defaults_need_no_advice() -> None:
    assert advice(Config()) == []


def test_two_databases_are_mentioned() -> None:
    assert advice(Config(in_db="a", db="b")) == [
        "The SQL writes mta_user_rnd to the database a, while the model reads it from b."
    ]


@pytest.mark.parametrize(
    ("users", "sentences"),
    [(0, 0), (19_999, 0), (20_000, 0), (20_001, 1), (666_667, 0), (1_000_000, 0), (1_000_001, 1)],
)
def test_a_page_of_2_to_3_percent_of_the_users_is_advised(users: int, sentences: int) -> None:
    assert len(page_advice(Config(), users)) == sentences


def test_page_advice_says_which_sizes_are_good() -> None:
    assert page_advice(Config(), 50_000) == [
        "users_per_tfrecord is 20000, 40.0% of 50000 users; 2 to 3 % would be 1000 to 1500."
    ]
