import asyncio
import json
from types import SimpleNamespace

import pytest
from langchain_core.messages import HumanMessage, SystemMessage

from blackboard import BlackboardError, Invalid, InvalidTeam
from knowledge_sources.facts import Fact, render
from knowledge_sources.scripted import NoReply, Script, ScriptedChatModel, matches, read_script

TEXTS = {
    "a.py": '#: when k/ids kind == "int"\nint\n#: else\ntext\n#: end\nlimit #{k/size most}\n',
    "draft.py": "#: when draft/a good == true\ngood\n#: else\nbad\n#: end\n",
}
SCRIPT = {
    "experts": {
        "cora": {"role": "coder", "assumes": {"k/ids#kind": "int", "k/size#most": 7}},
        "carl": {"role": "coder"},
        "ann": {"role": "architect", "prefers": {"k/ids": [{"kind": "uuid"}, {"kind": "int"}], "k/size": {"most": 3}}},
        "rob": {"role": "reviewer", "prefers": {"k/ids": [{"kind": "int"}, {"kind": "uuid"}]}},
        "rita": {"role": "reviewer", "prefers": {"k/ids": {"kind": "uuid"}}, "because": {"k/ids": "They merge."}},
    },
    "reply": [
        {"act": "plan", "answer": {"tasks": [{"name": "a"}]}},
        {"act": "write", "role": "coder", "target": "a", "texts": ["a.py"]},
        {
            "act": "write",
            "target": "d",
            "texts": {"d.py": "draft.py"},
            "when": [{"kind": "log", "component": "d", "passed": False, "contains": "bad"}],
            "supposes": {"draft/a#good": True},
        },
        {
            "act": "write",
            "target": "d",
            "texts": {"d.py": "draft.py"},
            "unless": [{"kind": "file", "component": "d"}],
            "supposes": {"draft/a#good": False},
        },
        {
            "act": "mediate",
            "target": "k/old",
            "when": [{"kind": "decision", "key": "k/old", "value": {"x": 1}}],
            "json": '{"language":"value","text":"null"}',
        },
    ],
    "texts": TEXTS,
}


@pytest.fixture
def script():
    return Script.model_validate(SCRIPT)


def you(name, act, target="a"):
    role = SCRIPT["experts"].get(name, {}).get("role", "stranger")
    return Fact("you", {"name": name, "role": role, "act": act, "target": target})


def decided(key, facet, value):
    return Fact("decision", {"key": key, "language": "value", "version": 1}, json.dumps({facet: value}))


def version(kind, key, value, number=1):
    return Fact(kind, {"key": key, "version": number, "language": "value"}, json.dumps(value))


def written(script, *facts):
    return script.answer([you("cora", "write"), *facts])["files"]


# ---- texts follow facts ---------------------------------------------------------------------------------------------


def test_a_text_follows_what_is_decided(script):
    shown = decided("k/ids", "kind", "uuid"), decided("k/size", "most", 3)
    assert written(script, *shown) == {"a.py": "text\nlimit 3\n"}


def test_what_is_not_shown_is_what_the_expert_assumes(script):
    assert written(script) == {"a.py": "int\nlimit 7\n"}
    assert written(script, decided("k/ids", "kind", "uuid")) == {"a.py": "text\nlimit 7\n"}


def test_another_facet_or_key_does_not_stand_in_for_the_one_consulted(script):
    assert written(script, decided("k/ids", "other", "uuid"), decided("k", "kind", "uuid")) == written(script)


def test_what_is_neither_shown_nor_assumed_is_no_reply(script):
    with pytest.raises(NoReply, match="k/ids#kind") as caught:
        script.answer([you("carl", "write")])
    error = caught.value
    assert isinstance(error, BlackboardError)
    assert (error.expert, error.act, error.target) == ("carl", "write", "a")


def test_a_decision_proposed_or_rejected_or_quoted_in_a_log_decides_nothing(script):
    quoted = Fact("log", {"component": "a"}, render([decided("k/ids", "kind", "uuid")]))
    shown = version("proposal", "k/ids", {"kind": "uuid"}), version("rejected", "k/ids", {"kind": "uuid"}), quoted
    assert written(script, *shown) == written(script)


# ---- entries fit situations -----------------------------------------------------------------------------------------


def draft(script, *facts):
    return script.answer([you("carl", "write", "d"), *facts])["files"]


def log(component, passed, text):
    return Fact("log", {"check": "unit", "component": component, "passed": passed}, text)


def test_the_first_entry_whose_conditions_hold_answers(script):
    assert draft(script) == {"d.py": "bad\n"}
    assert draft(script, log("d", passed=False, text="this is bad")) == {"d.py": "good\n"}


@pytest.mark.parametrize(
    "shown", [log("d", passed=True, text="bad"), log("e", passed=False, text="bad"), log("d", passed=False, text="odd")]
)
def test_a_condition_holds_only_if_one_fact_has_all_of_it(script, shown):
    assert draft(script, shown) == {"d.py": "bad\n"}


def test_conditions_on_several_facts_are_not_mixed(script):
    shown = log("d", passed=True, text="bad"), log("d", passed=False, text="odd"), log("e", passed=False, text="bad")
    assert draft(script, *shown) == {"d.py": "bad\n"}


def test_unless_asks_for_absence(script):
    with pytest.raises(NoReply, match="no entry fits") as caught:
        draft(script, Fact("file", {"component": "d", "path": "d.py"}, "old"))
    assert caught.value.shown == ("you", "file d d.py")
    assert draft(script, Fact("file", {"component": "e", "path": "d.py"}, "old")) == {"d.py": "bad\n"}


def test_a_value_is_a_condition_too(script):
    mediate = you("ann", "mediate", "k/old")
    assert script.answer([mediate, decided("k/old", "x", 1)]) == {"language": "value", "text": "null"}
    for facet, value in (("x", 2), ("x", True), ("y", 1)):
        with pytest.raises(NoReply):
            script.answer([mediate, decided("k/old", facet, value)])


def test_the_role_and_the_target_have_to_fit(script):
    with pytest.raises(NoReply, match="ann to write a"):
        script.answer([you("ann", "write")])
    with pytest.raises(NoReply):
        script.answer([you("cora", "write", "b")])


def test_nobody_and_strangers_get_no_reply(script):
    with pytest.raises(Invalid, match="`you`"):
        script.answer([decided("k/ids", "kind", "int")])
    with pytest.raises(NoReply, match="no such expert"):
        script.answer([you("nobody", "write")])


def test_without_its_entry_an_expert_says_nothing(script):
    without = Script.model_validate({**SCRIPT, "reply": [r for r in SCRIPT["reply"] if r.get("target") != "a"]})
    assert script.answer([you("cora", "write")])
    with pytest.raises(NoReply) as caught:
        without.answer([you("cora", "write")])
    assert (caught.value.expert, caught.value.act, caught.value.target) == ("cora", "write", "a")


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("**", "", True),
        ("**", "a/b", True),
        ("*", "a", True),
        ("*", "a/b", False),
        ("a/*", "a/b", True),
        ("a/*", "a", False),
        ("a/**", "a", True),
        ("a/**", "a/b/c", True),
        ("**/c", "a/b/c", True),
        ("a/**/d", "a/b/c/d", True),
        ("c*", "cora", True),
        ("c*", "d", False),
    ],
)
def test_patterns_go_by_segments(pattern, text, fits):
    assert matches(pattern, text) is fits


# ---- what follows from preferences ----------------------------------------------------------------------------------


def question(options, key="k/ids"):
    return Fact("question", {"key": key, "options": options}, "Which?")


def proposed(script, *facts, name="ann", act="propose", key="k/ids"):
    answer = script.answer([you(name, act, key), *facts])
    assert answer["language"] == "value"
    return json.loads(answer["text"])


def test_the_first_preference_is_proposed_and_after_its_rejection_the_next(script):
    assert proposed(script) == {"kind": "uuid"}
    assert proposed(script, version("rejected", "k/ids", {"kind": "uuid"})) == {"kind": "int"}
    assert proposed(script, version("rejected", "k/size", {"kind": "uuid"})) == {"kind": "uuid"}
    assert proposed(script, key="k/size") == {"most": 3}


def test_only_an_option_of_the_question_is_proposed(script):
    assert proposed(script, question([{"kind": "int"}, {"kind": "text"}])) == {"kind": "int"}
    assert proposed(script, question(['{"kind":"int"}'])) == {"kind": "int"}
    assert proposed(script, question([])) == {"kind": "uuid"}
    with pytest.raises(NoReply, match="still possible"):
        proposed(script, question([{"kind": "text"}]))


def test_nothing_is_proposed_when_all_was_rejected_but_a_mediator_still_decides(script):
    rejected = [version("rejected", "k/ids", {"kind": kind}, n) for n, kind in enumerate(("uuid", "int"))]
    with pytest.raises(NoReply):
        proposed(script, *rejected)
    assert proposed(script, *rejected, act="mediate") == {"kind": "uuid"}
    with pytest.raises(NoReply):
        proposed(script, act="mediate", key="k/unknown")


def ballot(script, name, value, *facts):
    return script.answer([you(name, "vote", "k/ids"), version("proposal", "k/ids", value, 3), *facts])


def test_a_vote_approves_the_first_preference_that_is_left(script):
    assert ballot(script, "rob", {"kind": "int"})["approve"] is True
    assert ballot(script, "rob", {"kind": "uuid"})["approve"] is False
    assert ballot(script, "rob", {"kind": "uuid"}, version("rejected", "k/ids", {"kind": "int"}))["approve"] is True


def test_a_vote_is_about_the_newest_version_shown(script):
    assert ballot(script, "rob", {"kind": "int"}, version("proposal", "k/ids", {"kind": "uuid"}, 2))["approve"] is True


def test_an_expert_with_nothing_left_or_another_text_votes_no(script):
    assert ballot(script, "rita", {"kind": "int"}, version("rejected", "k/ids", {"kind": "uuid"}))["approve"] is False
    prose = Fact("proposal", {"key": "k/ids", "version": 9}, json.dumps({"language": "text", "text": "uuid"}))
    assert ballot(script, "rita", {"kind": "uuid"}, prose)["approve"] is False


def test_reasons_are_the_experts_own_where_there_are_any(script):
    assert ballot(script, "rita", {"kind": "uuid"})["reason"] == "They merge."
    assert "int" in ballot(script, "rob", {"kind": "uuid"})["reason"]


def test_who_has_no_preference_or_sees_no_proposal_does_not_vote(script):
    with pytest.raises(NoReply, match="no preference"):
        ballot(script, "cora", {"kind": "int"})
    with pytest.raises(NoReply, match="no proposal"):
        script.answer([you("rob", "vote", "k/ids")])


# ---- the model ------------------------------------------------------------------------------------------------------


def prompt(*facts):
    system = "Answer as JSON. Facts look like <<fact 0123456789ab {…}."
    return [SystemMessage(system), HumanMessage(f"What do you say?\n{render(facts)}")]


def test_a_model_answers_the_facts_of_the_prompt_and_counts_words(script):
    model = ScriptedChatModel(script=script)
    messages = prompt(you("cora", "write"), decided("k/ids", "kind", "uuid"))
    answer = model.invoke(messages)
    assert json.loads(answer.content) == {"files": {"a.py": "text\nlimit 7\n"}}
    words = sum(len(message.content.split()) for message in messages)
    assert answer.usage_metadata == {
        "input_tokens": words,
        "output_tokens": len(answer.content.split()),
        "total_tokens": words + len(answer.content.split()),
    }


def test_an_answer_depends_on_nothing_that_was_asked_before(script):
    model, fresh = ScriptedChatModel(script=script), ScriptedChatModel(script=script, seed=9)
    asked = [prompt(you("cora", "write")), prompt(you("carl", "write", "d")), prompt(you("ann", "propose", "k/ids"))]
    answers = [model.invoke(messages).content for messages in asked]
    assert [fresh.invoke(messages).content for messages in reversed(asked)] == answers[::-1]
    assert [model.invoke(messages).content for messages in asked] == answers


def test_only_what_stands_in_a_human_message_is_a_fact(script):
    messages = prompt(you("cora", "write"))
    blocks = [{"type": "text", "text": messages[1].content}]
    model = ScriptedChatModel(script=script)
    assert model.invoke([messages[0], HumanMessage(blocks)]).content == model.invoke(messages).content
    with pytest.raises(Invalid):
        model.invoke([SystemMessage(messages[1].content), HumanMessage("What do you say?")])


def test_async_and_sync_answers_are_the_same_and_errors_come_through(script):
    model = ScriptedChatModel(script=script)
    messages = prompt(you("cora", "write"))
    assert asyncio.run(model.ainvoke(messages)).content == model.invoke(messages).content
    for ask in (model.invoke, lambda messages: asyncio.run(model.ainvoke(messages))):
        with pytest.raises(NoReply):
            ask(prompt(you("cora", "judge")))


def test_a_latency_is_drawn_between_the_bounds_from_prompt_and_seed(script, monkeypatch):
    slept = []

    async def asleep(seconds):
        slept.append(seconds)

    monkeypatch.setattr("knowledge_sources.scripted.time", SimpleNamespace(sleep=slept.append))
    monkeypatch.setattr("knowledge_sources.scripted.asyncio", SimpleNamespace(sleep=asleep))
    first, second = prompt(you("cora", "write")), prompt(you("ann", "propose", "k/ids"))
    for seed in (1, 2):
        model = ScriptedChatModel(script=script, seed=seed, latency_seconds=(0.2, 0.6))
        for messages in (first, second, first):
            model.invoke(messages)
    asyncio.run(model.ainvoke(first))
    assert all(0.2 <= seconds <= 0.6 for seconds in slept)
    assert slept[0] == slept[2]
    assert slept[3] == slept[5] == slept[6]
    assert len(set(slept)) == 4


def test_experts_have_their_own_latency_unless_the_model_is_given_one(monkeypatch):
    slept = []
    monkeypatch.setattr("knowledge_sources.scripted.time", SimpleNamespace(sleep=slept.append))
    slow = {**SCRIPT, "experts": {**SCRIPT["experts"], "cora": {"role": "coder", "latency_seconds": [5, 5]}}}
    slow_script = Script.model_validate({**slow, "reply": [{"act": "write", "answer": {}}]})
    ScriptedChatModel(script=slow_script).invoke(prompt(you("cora", "write")))
    ScriptedChatModel(script=slow_script).invoke(prompt(you("carl", "write")))
    ScriptedChatModel(script=slow_script, latency_seconds=(1, 1)).invoke(prompt(you("cora", "write")))
    assert slept == [5, 0, 1]


def test_a_waiting_model_does_not_block_the_loop(script):
    model = ScriptedChatModel(script=script, latency_seconds=(60, 60))
    finished = []

    async def others():
        asking = asyncio.create_task(model.ainvoke(prompt(you("cora", "write"))))
        await asyncio.sleep(0)
        finished.append(not asking.done())
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

    asyncio.run(others())
    assert finished == [True]


# ---- reading a script -----------------------------------------------------------------------------------------------

EXPERTS = """
[experts.cora]
role = "coder"
assumes = { "k/ids#kind" = "int", "k/size#most" = 7 }

[[reply]]
act = "write"
target = "*"
texts = ["a.py", "deep/b.py"]
"""


def folder(tmp_path, experts=EXPERTS, **texts):
    (tmp_path / "experts.toml").write_text(experts, "utf-8")
    for name, text in ({"a": TEXTS["a.py"], "deep/b": "b é\n"} | texts).items():
        path = tmp_path / "texts" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return tmp_path


def test_a_script_is_read_from_a_folder(tmp_path):
    script = read_script(folder(tmp_path))
    assert written(script) == {"a.py": "int\nlimit 7\n", "deep/b.py": "b é\n"}
    assert read_script(str(tmp_path)) == script


@pytest.mark.parametrize(
    ("experts", "said"),
    [
        ("[experts", "Expected"),
        ("", "experts"),
        ("[experts.a]\n", "role"),
        ('[experts.a]\nrole = "x"\ncolour = 1\n', "colour"),
        (EXPERTS + "unknown = 1\n", "unknown"),
        (EXPERTS + "answer = { a = 1 }\n", "one of"),
        (EXPERTS.replace("deep/b.py", "c.py"), "c.py"),
        ('[experts.a]\nrole = "x"\n[[reply]]\nact = "vote"\n', "one of"),
        ('[experts.a]\nrole = "x"\n[[reply]]\nact = "vote"\njson = "[]"\n', "object"),
        ('[experts.a]\nrole = "x"\n[[reply]]\nact = "vote"\njson = "{"\n', "reply"),
    ],
)
def test_a_script_that_is_not_well_formed_is_refused_when_it_is_read(tmp_path, experts, said):
    with pytest.raises(InvalidTeam) as caught:
        read_script(folder(tmp_path, experts))
    assert said in caught.value.what


def test_a_missing_folder_and_a_broken_text_are_named(tmp_path):
    with pytest.raises(InvalidTeam, match=r"experts\.toml"):
        read_script(tmp_path / "nowhere")
    with pytest.raises(InvalidTeam, match=r"deep/b\.py line 1"):
        read_script(folder(tmp_path, **{"deep/b": "#: end\n"}))
