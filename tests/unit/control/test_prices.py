"""Prices of models, from a mapping or a file."""

import pytest

from blackboard import Budget, InvalidTeam, Team, Usage
from blackboard.control.prices import Price, Prices, prices

TABLE = {
    "openai:gpt-5*": {"input": 1.25, "output": 10},
    "openai:gpt-5-mini": {"input": 0.25, "output": 2.0},
    "*": {"input": 100, "output": 100},
}


@pytest.mark.parametrize(
    ("model", "price"),
    [
        ("openai:gpt-5", Price(1.25, 10)),
        ("openai:gpt-5-mini", Price(0.25, 2)),
        ("openai:gpt-5-mini-2", Price(1.25, 10)),
        ("other", Price(100, 100)),
    ],
)
def test_a_model_has_the_price_of_its_name_or_of_the_longest_pattern(model, price):
    assert prices(TABLE).of(model) == price


def test_a_model_that_no_pattern_fits_has_no_price():
    assert prices({"a*": {"input": 1, "output": 1}}).of("b") is None


def test_prices_are_per_million_tokens():
    assert Price(1.25, 10).of(Usage(1_000_000, 500_000)) == 6.25


def test_a_file_says_the_same_as_a_mapping_and_names_its_currency(tmp_path):
    path = tmp_path / "prices.toml"
    path.write_text('currency = "EUR"\n[models]\n"a:*" = { input = 1, output = 2.5 }\n')
    assert prices(path) == Prices({"a:*": Price(1, 2.5)}, "EUR")
    assert Team("p", [], prices=str(path)).prices == prices(path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"a": {"input": 1}},
        {"a": {"input": -1, "output": 1}},
        {"a": {"input": float("nan"), "output": 1}},
        {"a": {"input": "1", "output": 1}},
        {"a": 3},
        {"": {"input": 1, "output": 1}},
        7,
        "absent.toml",
    ],
)
def test_what_is_no_price_table_is_refused_with_its_repair(wrong):
    with pytest.raises(InvalidTeam) as refused:
        Team("p", [], prices=wrong)
    assert refused.value.repair


@pytest.mark.parametrize("text", ["models = 3", 'model = {}\n[models]\n"a" = { input = 1, output = 1 }', "[["])
def test_a_file_that_is_no_price_table_is_refused(text, tmp_path):
    path = tmp_path / "prices.toml"
    path.write_text(text)
    with pytest.raises(InvalidTeam):
        prices(path)


def test_a_limit_of_money_without_prices_is_refused():
    with pytest.raises(InvalidTeam) as refused:
        Team("p", [], budget=Budget(money=1.0))
    assert "money=1" in refused.value.what
    assert "prices" in refused.value.repair
