"""The texts of the recipes example go together exactly if they were selected by the same facts."""

import importlib.util
import json
import re
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from blackboard import Contract
from knowledge_sources.facts import Fact
from knowledge_sources.scripted import read_script
from knowledge_sources.selector import consults

RECIPES = Path(__file__).parents[2] / "examples" / "recipes"
SCRIPT = read_script(RECIPES)
CODERS = [name for name, expert in SCRIPT.experts.items() if expert.role == "coder"]


def load(name):
    """Import a file of the example as it stands beside the others."""
    sys.path.insert(0, str(RECIPES))
    try:
        spec = importlib.util.spec_from_file_location(f"recipes_{name}", RECIPES / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(RECIPES))
    return module


END_TO_END = load("end_to_end")
WITHOUT_BOARD = load("without_board")


def you(name, act, target):
    return Fact("you", {"name": name, "role": SCRIPT.experts[name].role, "act": act, "target": target})


PLAN = SCRIPT.answer([you("paula", "plan", "plan")])
TASKS = {task["name"]: task for task in PLAN["tasks"]}
QUESTIONS = {question["key"]: question["options"] for question in PLAN["questions"] if question["options"]}
FIELDS = json.loads(SCRIPT.answer([you("arthur", "propose", "api/recipe")])["text"])
AMENDED = json.loads(SCRIPT.answer([you("olga", "mediate", "api/recipe")])["text"])
REWRITTEN = {"schema", "service", "web_page"}
COMBINATIONS = [dict(zip(QUESTIONS, options, strict=True)) for options in product(*QUESTIONS.values())]
ALL = [values | {"api/recipe": recipe} for recipe in (FIELDS, AMENDED) for values in COMBINATIONS]


def named(values):
    facets = [str(value) for key in QUESTIONS for value in values[key].values()]
    return "-".join([*facets, str(values["api/recipe"]["rating"]["scale"])])


def facets(value, prefix=""):
    """Return the facets of an object: dotted path -> value."""
    found = {}
    for name, member in value.items():
        found |= facets(member, f"{prefix}{name}.") if isinstance(member, dict) else {f"{prefix}{name}": member}
    return found


def facts(values):
    return {(key, facet): value for key, body in values.items() for facet, value in facets(body).items()}


def with_fact(values, key, facet, value):
    changed = json.loads(json.dumps(values))
    *outer, last = facet.split(".")
    part = changed[key]
    for segment in outer:
        part = part[segment]
    part[last] = value
    return changed


def written(component, values, *, coder="cora", shown=None):
    """Return what a coder writes who finds a version of its own: path -> text."""
    old = [Fact("file", {"component": component, "path": "old"}, "")] if shown is None else shown
    decided = [
        Fact("decision", {"key": key, "language": "value", "facets": [facet]}, f"{facet}: {json.dumps(value)}")
        for (key, facet), value in facts(values).items()
    ]
    return SCRIPT.answer([you(coder, "write", component), *old, *decided])["files"]


def built(folder, values, **other_values):
    """Write the program under some values, and single components under others."""
    folder.mkdir(exist_ok=True)
    for component in TASKS:
        for path, text in written(component, other_values.get(component, values)).items():
            (folder / path).write_text(text, "utf-8")
    return folder


def passes(folder, values, *, stop_early=False):
    said = []
    passed = END_TO_END.run(folder, values, say=said.append, stop_early=stop_early)
    return passed, "\n".join(said)


def checked(folder, component):
    command = [sys.executable, "-B", str(RECIPES / "check.py"), component]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False, env={})


# ---- what goes together ---------------------------------------------------------------------------------------------


def test_there_are_five_questions_with_two_options_and_six_tasks():
    assert [len(options) for options in QUESTIONS.values()] == [2] * 5
    assert len(COMBINATIONS) == 32
    assert list(TASKS) == ["schema", "storage", "service", "http_api", "cli", "web_page"]


def any_three_together():
    """Return sixteen of all in which any three facts have each of their values beside each of the others'."""
    for a, b, c, d in product((0, 1), repeat=4):
        yield ALL[int(f"{b ^ c ^ d}{a}{b}{c}{d}{a ^ b ^ c}", base=2)]


def pytest_generate_tests(metafunc):
    if "combined" in metafunc.fixturenames:
        long = metafunc.config.getoption("--long")
        metafunc.parametrize("combined", ALL if long else list(any_three_together()), ids=named)


def test_every_combination_before_and_after_the_amendment_is_a_program_that_works(tmp_path, combined):
    passed, said = passes(built(tmp_path, combined), combined)
    assert passed, said


@pytest.mark.parametrize("coder", CODERS)
def test_each_expert_alone_would_have_built_a_program_that_works(tmp_path, coder):
    assumed = {}
    for name, value in SCRIPT.experts[coder].assumes.items():
        key, _, facet = name.partition("#")
        if key == "api/recipe":
            assumed = with_fact({"api/recipe": FIELDS, **assumed}, key, facet, value)
        else:
            assumed[key] = {facet: value}
    for component in TASKS:
        for path, text in written(component, {}, coder=coder).items():
            (tmp_path / path).write_text(text, "utf-8")
    passed, said = passes(tmp_path, assumed)
    assert passed, said


@pytest.mark.parametrize("values", ALL[:: len(ALL) // 3], ids=named)
def test_every_check_passes_with_the_parts_that_it_is_given(tmp_path, values):
    folder = built(tmp_path, values)
    for component in TASKS:
        done = checked(folder, component)
        assert done.returncode == 0, done.stderr


# ---- what does not --------------------------------------------------------------------------------------------------

APART = [COMBINATIONS[0], COMBINATIONS[-1], COMBINATIONS[0b01010], COMBINATIONS[0b11001]]
OTHERS = {"title.limit": 60, "servings.default": 2, "rating.scale": 3, "order": "rating"}
CONSULTED = [
    (name, key, facet)
    for name, task in TASKS.items()
    for side in (task["implements"], task["uses"])
    for key, names in side.items()
    for facet in names
    if not key.startswith("code/")
]


@pytest.mark.parametrize(
    ("component", "key", "facet"), [pytest.param(*relied, id=" ".join(relied)) for relied in CONSULTED]
)
def test_a_component_built_under_another_value_of_what_it_relies_on_breaks_the_program(tmp_path, component, key, facet):
    differed = 0
    for number, combination in enumerate(APART[:2]):
        values = combination | {"api/recipe": FIELDS}
        now = facts(values)[key, facet]
        other = OTHERS.get(facet) or next(v for option in QUESTIONS[key] for v in option.values() if v != now)
        changed = with_fact(values, key, facet, other)
        if written(component, changed) == written(component, values):
            continue
        differed += 1
        passed, said = passes(built(tmp_path / str(number), values, **{component: changed}), values, stop_early=True)
        assert not passed, said
    assert differed


@pytest.mark.parametrize("combination", APART, ids=lambda combination: named(combination | {"api/recipe": FIELDS}))
def test_the_amendment_needs_exactly_three_components_rewritten(tmp_path, combination):
    before, after = combination | {"api/recipe": FIELDS}, combination | {"api/recipe": AMENDED}
    changed = {component for component in TASKS if written(component, before) != written(component, after)}
    assert changed == REWRITTEN
    for component in REWRITTEN:
        passed, said = passes(built(tmp_path / component, after, **{component: before}), after, stop_early=True)
        assert not passed, said
    left_alone = dict.fromkeys(set(TASKS) - REWRITTEN, before)
    passed, said = passes(built(tmp_path / "left", after, **left_alone), after)
    assert passed, said
    passed, said = passes(built(tmp_path / "old", before), after)
    assert not passed
    assert "FAILED  ratings go from 1 to 10" in said


def test_what_the_coders_assume_without_a_board_works_under_no_reading_of_the_prompt(tmp_path):
    WITHOUT_BOARD.build(SCRIPT, tmp_path)
    for combination in COMBINATIONS:
        passed, said = passes(tmp_path, combination | {"api/recipe": FIELDS}, stop_early=True)
        assert not passed, said


def test_without_board_prints_what_each_assumes_and_exits_1(tmp_path):
    command = [sys.executable, str(RECIPES / "without_board.py"), str(tmp_path / "program")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1, done.stderr
    for word in (*CODERS, "uuid", "minutes", "api/recipe rating.scale", "FAILED"):
        assert word in done.stdout
    assert checked(tmp_path / "program", "schema").returncode == 0
    assert (tmp_path / "program" / "app.py").exists()


# ---- what the plan says is what the texts do ------------------------------------------------------------------------


def texts_of(component):
    replies = [reply for reply in SCRIPT.replies if reply.act == "write" and reply.target == component]
    supposed = {name for reply in replies for name in reply.supposes}
    asked = {fact for reply in replies for name in reply.texts.values() for fact in consults(SCRIPT.texts[name])}
    return {(key, facet) for key, facet in asked if f"{key}#{facet}" not in supposed}, replies


@pytest.mark.parametrize("component", TASKS)
def test_a_task_names_exactly_the_facets_that_its_texts_consult_and_the_files_that_they_are(component):
    asked, replies = texts_of(component)
    assert {(key, facet) for name, key, facet in CONSULTED if name == component} == asked
    assert {tuple(reply.texts) for reply in replies} == {tuple(TASKS[component]["files"])}


@pytest.mark.parametrize(
    "decision", [d for d in PLAN["decisions"] if d["language"] == "python"], ids=lambda d: d["key"]
)
def test_a_task_names_the_functions_that_its_texts_use_and_they_are_there(decision):
    module = decision["key"].removeprefix("code/")
    offered = set(Contract("python", decision["text"]).facets)
    written_there = "".join(SCRIPT.texts[name] for name in TASKS[module]["files"])
    assert all(
        re.search(rf"^(?:def|class) {name}\b", written_there, re.MULTILINE) for name in offered if "." not in name
    )
    for name, task in TASKS.items():
        text = "".join(SCRIPT.texts[path] for path in task["files"] if path.endswith(".py"))
        used = (
            set(re.findall(rf"\b{module}\.(\w+)", text))
            if re.search(rf"^import {module}$", text, re.MULTILINE)
            else set()
        )
        if decision["key"] in task["uses"]:
            named = set(task["uses"][decision["key"]])
            assert used == (named or {facet for facet in offered if "." not in facet})
        else:
            assert not used, name


def test_what_is_used_is_asked_or_decided_and_code_is_implemented_once():
    decided = [decision["key"] for decision in PLAN["decisions"]]
    asked = [question["key"] for question in PLAN["questions"]]
    assert len(set(decided + asked)) == len(decided + asked)
    implemented = [key for task in TASKS.values() for key in task["implements"]]
    assert sorted(key for key in implemented if key.startswith("code/")) == sorted(decided)
    assert {key for task in TASKS.values() for key in (*task["uses"], *task["implements"])} == {*decided, *asked}
    for _, key, facet in CONSULTED:
        assert all(facet in facets(option) for option in QUESTIONS.get(key, [FIELDS]))


def test_every_coder_assumes_something_for_everything_and_they_disagree_on_every_question():
    for coder in CODERS:
        assert {tuple(name.split("#")) for name in SCRIPT.experts[coder].assumes} == set(facts(ALL[0]))
    for name in SCRIPT.experts[CODERS[0]].assumes:
        assert len({SCRIPT.experts[coder].assumes[name] for coder in CODERS}) > 1


def test_the_amendment_changes_one_facet_and_another_of_the_same_decision_is_used_by_others():
    assert set(facets(FIELDS).items()) ^ set(facets(AMENDED).items()) == {("rating.scale", 5), ("rating.scale", 10)}
    relying = {name for name, key, facet in CONSULTED if (key, facet) == ("api/recipe", "rating.scale")}
    assert relying == REWRITTEN
    others = {name for name, key, _ in CONSULTED if key == "api/recipe"} - relying
    assert others == {"storage", "cli"}


# ---- the experts agree, and one is wrong once -----------------------------------------------------------------------


def round_of(key, rejected):
    lost = [Fact("rejected", {"key": key, "version": n, "language": "value"}, body) for n, body in enumerate(rejected)]
    question = Fact("question", {"key": key}, json.dumps({"question": "?", "options": QUESTIONS.get(key, [])}))
    answer = SCRIPT.answer([you("arthur", "propose", key), question, *lost])
    body = answer["text"]
    proposal = Fact("proposal", {"key": key, "version": 9, "language": "value"}, body)
    reviewers = [name for name, expert in SCRIPT.experts.items() if expert.role == "reviewer"]
    votes = [SCRIPT.answer([you(name, "vote", key), question, proposal, *lost])["approve"] for name in reviewers]
    return body, sum(votes), len(reviewers)


@pytest.mark.parametrize("quorum", [2, 3])
def test_every_question_is_settled_in_two_rounds_and_some_need_the_second(quorum):
    second = set()
    for key in (*QUESTIONS, "api/recipe"):
        body, yes, members = round_of(key, [])
        if yes < quorum:
            second.add(key)
            _, yes, members = round_of(key, [body])
        assert quorum <= yes <= members == 4
    assert second == {"api/id_maker", "api/durations"}


def test_the_first_schema_fails_its_check_and_who_has_seen_the_log_mends_it(tmp_path):
    values = ALL[0]
    first = written("schema", values, shown=[])
    (tmp_path / "schema.sql").write_text(first["schema.sql"], "utf-8")
    failed = checked(tmp_path, "schema")
    assert failed.returncode == 1
    assert "table recipes already exists" in failed.stderr
    header = {"check": "unit", "component": "schema", "passed": False}
    second = written("schema", values, shown=[Fact("log", header, failed.stderr)])
    assert second == written("schema", values) != first
    (tmp_path / "schema.sql").write_text(second["schema.sql"], "utf-8")
    assert checked(tmp_path, "schema").returncode == 0


def test_the_first_schema_breaks_no_check_of_another_component_but_the_program(tmp_path):
    folder = built(tmp_path, ALL[0])
    (folder / "schema.sql").write_text(written("schema", ALL[0], shown=[])["schema.sql"], "utf-8")
    for component in set(TASKS) - {"schema"}:
        done = checked(folder, component)
        assert done.returncode == 0, done.stderr
    passed, said = passes(folder, ALL[0])
    assert not passed
    assert "table recipes already exists" in said


# ---- the end-to-end test itself -------------------------------------------------------------------------------------


def end_to_end(*arguments):
    command = [sys.executable, str(RECIPES / "end_to_end.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def exported(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    records = {key: {"version": 1, "language": "value", "value": value, "text": ""} for key, value in values.items()}
    path.write_text(json.dumps(records), "utf-8")


def test_its_exit_status_is_the_answer(tmp_path):
    folder = built(tmp_path / "program", ALL[0])
    assert end_to_end(folder).returncode == 2
    exported(folder / ".spec" / "decisions.json", ALL[0])
    done = end_to_end(folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "ok      ids are of kind int and unique" in done.stdout
    exported(tmp_path / "facts.json", ALL[-1])
    done = end_to_end(folder, "--facts", tmp_path / "facts.json")
    assert done.returncode == 1
    assert "FAILED  ids are of kind uuid and unique" in done.stdout
    assert not list(folder.rglob("*.db*")) + list(folder.rglob("__pycache__"))


@pytest.mark.parametrize("decisions", ["", "[]", "{}", '{"api/ids": {"value": null}}'])
def test_decisions_that_say_nothing_are_a_question_that_cannot_be_answered(tmp_path, decisions):
    (tmp_path / "facts.json").write_text(decisions)
    done = end_to_end(built(tmp_path / "program", ALL[0]), "--facts", tmp_path / "facts.json")
    assert done.returncode == 2
    assert "does not say what was decided" in done.stderr


SILENT = "import time\ntime.sleep(600)\n"
DEAF = """
import socket, time
listening = socket.create_server(("127.0.0.1", 0))
print(f"recipes at http://127.0.0.1:{listening.getsockname()[1]}/", flush=True)
time.sleep(600)
"""
BROKEN = "raise SystemExit('no')\n"


@pytest.mark.parametrize("program", [SILENT, DEAF, BROKEN], ids=["silent", "deaf", "broken"])
def test_it_ends_whatever_the_program_does(tmp_path, monkeypatch, program):
    module = sys.modules[END_TO_END.Program.__module__]
    monkeypatch.setattr(module, "START_SECONDS", 0.5)
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(module, "ALL_SECONDS", 3.0)
    (tmp_path / "app.py").write_text(program)
    (tmp_path / "cli.py").write_text("")
    passed, said = passes(tmp_path, ALL[0])
    assert not passed
    assert "ok      " not in said
