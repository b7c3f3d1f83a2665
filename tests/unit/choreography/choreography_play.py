"""A board of dictionaries that plays a choreography: what a commit does with `guard` and `follow`, without a store."""

from blackboard.choreography import Choreography, Role, agree, each, loop, may, passed, quorum, rules, stop, within
from blackboard.choreography.moves import (
    Accepted,
    Act,
    Arm,
    Contest,
    Disarm,
    Due,
    Judged,
    Lost,
    Opened,
    RejectLive,
    Reopen,
    Retracted,
    SetPosition,
    Stop,
    Written,
    agreement,
    follow,
    guard,
)
from blackboard.errors import NotPermitted
from blackboard.spec import keys

ARCHITECT, PLANNER = Role("architect"), Role("planner")
REVIEWER = Role("reviewer", members=4, crash=1, wrong=1)
CODER = Role("coder", members=4, crash=2)
TESTER, OPERATOR = Role("tester", reliable=True), Role("operator", reliable=True)


def recipes():
    """The example of the design, as written there, plus a right to ask."""
    return Choreography(
        "recipes",
        each(
            "api/{name}",
            agree(
                ARCHITECT.proposes("api/{name}"),
                by=quorum(2, of=REVIEWER),
                within_seconds=300,
                rounds=3,
                amendments=1,
                otherwise=OPERATOR.decides("api/{name}"),
            ),
            at_most=20,
        ),
        each(
            "task/{name}",
            within(300, PLANNER.decides("task/{name}"), otherwise=OPERATOR.decides("task/{name}")),
            loop(
                CODER.writes("{name}", reads=["task/{name}", "api/*"], lease_seconds=600),
                TESTER.checks("{name}", "unit"),
                until=passed("unit", of="{name}"),
                at_most=4,
                otherwise=stop("unbuildable"),
            ),
            at_most=40,
        ),
        may(PLANNER, "ask", "api/*"),
        requires=["api/*", "task/*"],
    )


class Dictionaries:
    """A `BoardState` made of dictionaries."""

    def __init__(self):
        self.states, self.questions, self.proposals, self.accepted = {}, set(), {}, set()
        self.fresh, self.verdicts, self.positions = set(), {}, {}

    def state(self, key):
        return self.states.get(key)

    def asked(self, key):
        return key in self.questions

    def live(self, key):
        return tuple(self.proposals.get(key, ()))

    def has_accepted(self, key):
        return key in self.accepted

    def current(self, component):
        return component in self.fresh

    def passed(self, check, component):
        return self.verdicts.get((check, component), False)

    def position(self, key, path):
        return self.positions.get((key, path))

    def room(self, template, at_most):
        return sum(keys.matches(template, key) for key in {*self.states, *self.questions}) < at_most

    def any_accepted(self, pattern):
        return any(keys.matches(pattern, key) for key in self.accepted)


class Play(Dictionaries):
    """Acts as roles do, asks the guard before each, and does what follows."""

    def __init__(self, choreography):
        super().__init__()
        rules.check(choreography)
        self.choreography = choreography
        self.deadlines, self.stopped, self.woken, self.told = {}, {}, [], []
        self.versions = 0

    # what a role does

    def guard(self, verb, key, role, check=""):
        return guard(self.choreography, self, Act(verb, key, check), role=role, author=f"{role}-1")

    def may(self, verb, key, role, check=""):
        try:
            return self.guard(verb, key, role, check)
        except NotPermitted:
            return None

    def ask(self, key, role="operator"):
        path = self.guard("ask", key, role)
        self.questions.add(key)
        self.states.setdefault(key, "open")
        self.happened(Opened(key))
        return path

    def propose(self, key, role="architect"):
        path = self.guard("propose", key, role)
        if agreement(self.choreography, key) is None:
            self.settle(key, by_step=True)
            return path
        first = not self.live(key)
        self.versions += 1
        self.proposals.setdefault(key, []).append(self.versions)
        self.states.setdefault(key, "open")
        if first:
            self.happened(Opened(key))
        return path

    def decide(self, key, role):
        path = self.guard("decide", key, role)
        self.settle(key, by_step=role != "operator")
        return path

    def retract(self, key, role="operator"):
        self.guard("retract", key, role)
        self.accepted.discard(key)
        self.questions.discard(key)
        self.states[key] = "retracted"
        self.happened(Retracted(key))

    def write(self, component, role="coder", *, same=True):
        path = self.guard("write", component, role)
        self.states[component] = "written"
        self.fresh.add(component)
        self.verdicts = {about: passed for about, passed in self.verdicts.items() if about[1] != component}
        self.happened(Written(component, same_premises=same))
        return path

    def judge(self, component, check, *, passed, role="tester"):
        path = self.guard("check", component, role, check)
        self.verdicts[check, component] = passed
        self.happened(Judged(component, check, passed))
        return path

    # what happens to a key

    def settle(self, key, *, by_step=True):
        """Accept a version: a quorum was reached, or somebody decided."""
        (self.proposals.get(key) or [0]).pop()
        self.accepted.add(key)
        self.states[key] = "accepted"
        self.questions.discard(key)
        self.happened(Accepted(key, by_step))

    def lose(self, key):
        """Reject every live proposal: votes cannot reach the quorum any more."""
        self.proposals[key] = []
        self.happened(Lost(key, amendment=self.has_accepted(key)))

    def turn_stale(self, component):
        """A decision that the component pins was amended."""
        self.fresh.discard(component)

    def tick(self, key):
        """Let the only deadline of the key come due."""
        ((path, rounds),) = ((path, rounds) for (at, path), (rounds, _) in self.deadlines.items() if at == key)
        self.happened(Due(key, path, rounds))

    def happened(self, event):
        self.told = follow(self.choreography, self, event)
        for consequence in self.told:
            self.apply(consequence)

    def apply(self, consequence):
        match consequence:
            case SetPosition(key, path, state):
                self.positions[key, path] = state
            case Arm(key, path, rounds, seconds):
                assert (key, path) not in self.deadlines, f"armed twice: {consequence}"
                self.deadlines[key, path] = (rounds, seconds)
            case Disarm(key, path):
                assert (key, path) in self.deadlines, f"nothing to disarm: {consequence}"
                del self.deadlines[key, path]
            case Contest(key, _):
                self.states[key] = "contested"
            case Reopen(key, rounds):
                self.woken.append((key, rounds))
            case RejectLive(key, _):
                self.proposals.pop(key, None)
                if key in self.accepted:
                    self.questions.discard(key)
            case Stop(key, reason):
                self.stopped[key] = reason
