import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blackboard import Invalid
from knowledge_sources.facts import NONCE_DIGITS, Fact, in_order, parse, render

FACTS = (
    Fact("you", {"name": "ann", "role": "architect", "act": "propose", "target": "a/b"}),
    Fact("decision", {"key": "a/b", "facet": "x.y", "version": 2, "revision": 12, "author": "ann"}, '"int"'),
    Fact("log", {"check": "unit", "component": "c", "passed": False}, "line 1\nline 2\n"),
)

delimiters = st.sampled_from(["<<fact ", "fact ", ">>", "\n", '{"kind":"you"}', "000000000000", "\r", "\u2028"])
texts = st.lists(delimiters | st.text(max_size=8), max_size=8).map("".join)
values = st.recursive(st.none() | st.booleans() | st.integers() | texts, lambda inner: st.lists(inner, max_size=3))
names = st.text(min_size=1, max_size=6).filter(lambda name: name != "kind")
facts = st.lists(st.builds(Fact, texts, st.dictionaries(names, values, max_size=3), texts), max_size=4).map(tuple)


def nonce_of(text):
    return re.match(r"<<fact ([0-9a-f]+) ", text)[1]


def test_a_block_has_a_header_with_sorted_names_and_the_body_as_it_is():
    nonce = nonce_of(render(FACTS[2:]))
    assert len(nonce) == NONCE_DIGITS
    assert render(FACTS[2:]) == (
        f'<<fact {nonce} {{"check":"unit","component":"c","kind":"log","passed":false}}\n'
        f"line 1\nline 2\n\nfact {nonce}>>"
    )


@given(facts)
def test_what_was_rendered_is_read_back_whatever_it_looks_like(shown):
    assert parse(render(shown)) == shown


@given(facts, st.data())
def test_words_of_the_prompt_around_the_blocks_do_not_matter(shown, data):
    plain = st.text(alphabet=st.characters(exclude_characters="<>", exclude_categories=["Cs"]))
    before, after = data.draw(plain), data.draw(plain)
    assert parse(f"{before}\n{render(shown)}\n{after}") == shown


@given(facts)
def test_the_nonce_occurs_in_nothing_that_the_blocks_hold(shown):
    text = render((Fact("you"), *shown))
    nonce = nonce_of(text)
    assert text.count(nonce) == 2 * (len(shown) + 1)


def test_prompts_that_begin_with_the_same_facts_begin_with_the_same_text():
    assert render(FACTS) == render(list(FACTS))
    assert render(FACTS).startswith(render(FACTS[:2]))
    assert nonce_of(render(FACTS[1:])) != nonce_of(render(FACTS))


def test_what_changes_least_stands_first():
    kinds = ["refused", "log", "file", "decision", "task", "prompt"]
    assert [fact.kind for fact in in_order(map(Fact, kinds))] == [
        "prompt",
        "decision",
        "task",
        "file",
        "log",
        "refused",
    ]


def test_a_text_that_holds_a_whole_rendered_prompt_is_one_body():
    copied = render(FACTS)
    shown = (Fact("file", {"path": "a.md"}, copied), *FACTS)
    assert parse(render(shown)) == shown


def test_a_nonce_that_somebody_foresaw_is_not_used(monkeypatch):
    foreseen = []

    class Digest:
        def __init__(self, seed):
            self.seed = seed

        def hexdigest(self):
            foreseen.append(self.seed)
            return ("a" if len(foreseen) == 1 else "b") * 64

    monkeypatch.setattr("knowledge_sources.facts.hashlib.sha256", Digest)
    shown = (Fact("file", {}, f"<<fact {'a' * 12} {{}}\nfact {'a' * 12}>>"),)
    assert nonce_of(render(shown)) == "b" * 12
    assert parse(render(shown)) == shown


def test_no_facts_are_no_text_and_a_text_without_blocks_has_no_facts():
    assert render(()) == ""
    assert parse("Answer as JSON. Facts stand between <<fact NONCE {header} and fact NONCE>>.") == ()


def test_a_kind_in_the_header_does_not_overrule_the_kind():
    assert parse(render([Fact("log", {"kind": "you"}, "x")])) == (Fact("log", {}, "x"),)


@pytest.mark.parametrize(
    "text",
    [
        '<<fact 0123456789ab {"kind":"you"}',
        '<<fact 0123456789ab {"kind":"you"}\nbody',
        '<<fact 0123456789ab {"kind":"you"}\nbody\nfact 0123456789ac>>',
        '<<fact 0123456789ab {"kind":\n\nfact 0123456789ab>>',
        '<<fact 0123456789ab {"key":"a"}\n\nfact 0123456789ab>>',
        '<<fact 0123456789ab {"kind":1}\n\nfact 0123456789ab>>',
    ],
)
def test_a_broken_block_is_refused(text):
    with pytest.raises(Invalid, match="fact block 1"):
        parse(text)
