"""Keys, names, patterns and templates."""

from fnmatch import fnmatchcase

import hypothesis.strategies as st
import pytest
from hypothesis import given

from blackboard.errors import InvalidKey
from blackboard.spec import keys

GOOD = ["a", "A", "_", "0", "api/ids", "a.b", "a-b", "a/b/c/d", "task/server", "x" * 128, "/".join(["y" * 100] * 5)]
BAD = [
    "", "/", "a/", "/a", "a//b", ".", "..", "a/..", "../a", "a/./b", ".a", "-a", "a b", "a\n", "a\x00", "ä", "a*",
    "{a}",
    "a\\b", "a:b", "\u202ea", "\ud800", "x" * 129, "/".join(["y" * 100] * 6), "a/b?", "٣",
]  # fmt: skip


@pytest.mark.parametrize("text", GOOD)
def test_a_well_formed_key_is_returned(text):
    assert keys.check_key(text) == keys.check_pattern(text) == keys.check_template(text) == text


@pytest.mark.parametrize("text", BAD, ids=ascii)
def test_another_text_is_no_key(text):
    with pytest.raises(InvalidKey) as refused:
        keys.check_key(text)
    assert str(refused.value).isascii()


@pytest.mark.parametrize("value", [None, 1, b"a", ["a"]])
def test_what_is_no_text_is_no_key(value):
    for check in (keys.check_key, keys.check_name, keys.check_pattern, keys.check_template, keys.check_idempotency_key):
        with pytest.raises(InvalidKey):
            check(value)


def test_a_name_is_one_segment():
    assert keys.check_name("coder-1") == "coder-1"
    with pytest.raises(InvalidKey):
        keys.check_name("a/b")


@pytest.mark.parametrize("text", ["*", "**", "a/*", "*/a", "a/**", "a/*/b/**/c"])
def test_wildcards_are_whole_segments(text):
    assert keys.check_pattern(text) == keys.check_template(text) == text
    assert keys.is_pattern(text)
    with pytest.raises(InvalidKey):
        keys.check_key(text)


@pytest.mark.parametrize("text", ["a*", "*a", "***", "a/b*", "{a}/*", "**/**/**/**/**"])
def test_another_text_is_no_pattern(text):
    with pytest.raises(InvalidKey):
        keys.check_pattern(text)


@pytest.mark.parametrize("text", ["{name}", "api/{name}", "{a}/{b}", "api/v{n}-x", "api/{name}/*"])
def test_a_template_binds_parts_of_segments(text):
    assert keys.check_template(text) == text


@pytest.mark.parametrize("text", ["{}", "{A}", "{a", "a}", "{a b}", "{1}", "-{a}"])
def test_another_text_is_no_template(text):
    with pytest.raises(InvalidKey):
        keys.check_template(text)


MATCHES = [
    ("a", "a", True), ("a", "b", False), ("a", "a/b", False), ("*", "a", True), ("*", "a/b", False),
    ("a/*", "a", False),
    ("a/*", "a/b", True), ("a/*", "a/b/c", False), ("**", "a", True), ("**", "a/b/c", True), ("a/**", "a", True),
    ("a/**", "a/b/c", True), ("a/**", "ab", False), ("**/c", "c", True), ("**/c", "a/b/c", True),
    ("**/c", "a/bc", False),
    ("a/**/c", "a/c", True), ("a/**/c", "a/b/b/c", True), ("a/**/c", "ac", False), ("*/b/*", "a/b/c", True),
    ("a.b", "axb", False), ("**/**", "a", True), ("*/**", "a", True), ("*/**", "a/b", True),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "key", "expected"), MATCHES)
def test_a_pattern_names_these_keys(pattern, key, expected):
    assert keys.matches(pattern, key) is expected


SEGMENTS = st.sampled_from(["a", "b", "ab", "a.b"])
KEYS = st.lists(SEGMENTS, min_size=1, max_size=5).map("/".join)
PATTERNS = st.lists(st.sampled_from(["a", "b", "ab", "*", "**", "**"]), min_size=1, max_size=4).map("/".join)


def slowly(parts, segments):
    """Say the same by trying everything."""
    if not parts:
        return not segments
    if parts[0] == "**":
        return any(slowly(parts[1:], segments[count:]) for count in range(len(segments) + 1))
    return bool(segments) and fnmatchcase(segments[0], parts[0]) and slowly(parts[1:], segments[1:])


@given(PATTERNS, KEYS)
def test_matching_is_what_trying_everything_gives(pattern, key):
    assert keys.matches(pattern, key) is slowly(pattern.split("/"), key.split("/"))


@given(PATTERNS, KEYS)
def test_a_search_by_the_fixed_prefix_misses_no_match(pattern, key):
    if keys.matches(pattern, key):
        assert key.startswith(keys.fixed_prefix(pattern))


@given(st.lists(PATTERNS, max_size=4), st.lists(KEYS, max_size=4))
def test_any_of_several_matches_where_one_does(patterns, known):
    one_by_one = any(keys.matches(pattern, key) for pattern in patterns for key in known)
    assert keys.matches_any(patterns, known) is one_by_one


@pytest.mark.parametrize(
    ("pattern", "prefix"),
    [("a/b", "a/b"), ("a/*", "a/"), ("a/**", "a"), ("*", ""), ("**", ""), ("api/v{n}", "api/v"), ("a/**/b", "a")],
)
def test_the_fixed_prefix_is_what_comes_before_the_first_wildcard(pattern, prefix):
    assert keys.fixed_prefix(pattern) == prefix


@given(st.dictionaries(st.sampled_from(["one", "two"]), SEGMENTS, min_size=2))
def test_filling_a_template_with_what_it_bound_gives_the_key_again(bindings):
    template = "{one}/x-{two}/{one}"
    key = keys.fill(template, bindings)
    assert keys.bind(template, key) == bindings
    assert keys.variables(template) == ("one", "two", "one")


def test_a_template_that_does_not_match_binds_nothing():
    assert keys.bind("api/{name}", "db/ids") is None
    assert keys.bind("{a}/{a}", "x/y") is None
    assert keys.bind("api/ids", "api/ids") == {}
    assert keys.fill("{a}/{b}", {"a": "x"}) == "x/{b}"


@pytest.mark.parametrize("key", ["choreography/team", "role/x", "member/x", "source/x"])
def test_reserved_keys_are_named_only_by_patterns_that_mean_them(key):
    assert keys.is_reserved(key)
    assert not keys.matches("**", key)
    assert not keys.matches("*/*", key)
    assert keys.matches(f"{key.split('/')[0]}/*", key)


@pytest.mark.parametrize("key", ["role", "role/x/y", "choreography/other", "roles/x", "task/role"])
def test_keys_beside_the_reserved_ones_are_free(key):
    assert not keys.is_reserved(key)
    assert keys.matches("**", key)


@pytest.mark.parametrize("text", ["call-1", "tick api/ids 0.0 1 1700000000.5", "ünï", "a" * 1024])
def test_an_idempotency_key_is_any_printable_text(text):
    assert keys.check_idempotency_key(text) == text


@pytest.mark.parametrize("text", ["", "a\n", "\x00", "\ud800", "a" * 1025, "ü" * 513], ids=ascii)
def test_another_text_is_no_idempotency_key(text):
    with pytest.raises(InvalidKey):
        keys.check_idempotency_key(text)
