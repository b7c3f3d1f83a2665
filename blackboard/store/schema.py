"""The tables of a board that have revisions: `commit_log` and `change` say what happened, the others what is.

`control` holds those that have none, `views` what a person reads. Keys of all kinds share `key`, whose `kind` is
`decision` or `component`. The comments say what a table and a column mean; docs/tables.md is made from them.
"""

import sqlalchemy as sa

from blackboard.store.columns import (
    TEXT,
    content,
    identifier,
    index,
    integer,
    metadata,
    number,
    of_key,
    part,
    real,
    refers,
    table,
    text,
)
from blackboard.store.control import CONTROL

__all__ = ["APPLICATION_ID", "CONTROL", "SCHEMA", "metadata"]

SCHEMA = "0001"
"""The schema that this library writes; the newest file in migrations/versions makes it."""

APPLICATION_ID = 0x62627331
"""Marks a SQLite file as a board."""

_PATTERN = "The pattern."

# --- spec: the board and its log -------------------------------------------------------------------------------------

board = table(
    "board",
    "The board: one row.",
    number("id", "Always 1."),
    text("epoch", "Identifies this history; a restore or a copy begins another one."),
    integer("revision", "The newest revision."),
    text("digest", "Of the hash chain at the newest revision."),
    real("store_time", "The latest store time that was given out; never goes back."),
    integer("installed", "The last revision that changed a decision that only `install` writes."),
    integer("first_revision", "The first revision whose history is kept; what is older was compacted."),
    text("mode", "paused or draining: no work is handed out; sealed: nothing is written. NULL: running.", null=True),
    text("mode_reason", "Why an operator set the mode."),
    text("library", "Version of the library that installed the team last. NULL: none was installed.", null=True),
)

commit_log = table(
    "commit_log",
    "One row for each commit.",
    number("revision", "The number of the commit: 1, 2, 3 and so on."),
    text("digest", "Of the hash chain: over this commit, its changes and the digest of the commit before."),
    text("author", "Who committed."),
    text("role", "The role in which the author acted.", null=True),
    real("at", "Store time of the commit."),
    integer("token", "The lease under which it was made.", null=True),
    text("choreography", "Digest of the choreography that permitted it.", null=True),
)

change = table(
    "change",
    "What commits did: the change feed.",
    number("revision", "The commit."),
    number("ordinal", "The place within the commit: 0, 1, 2 and so on."),
    text("kind", "What was done: proposed, accepted, voted, asked, written, judged and so on."),
    of_key("The key that changed. NULL: the change is of the whole board.", primary=False, null=True),
    integer("version", "The version that it is about.", null=True),
    text("author", "Who did it."),
    text("step", "Path of the choreography's step that permitted it, or what an operator named; else empty."),
    text("reason", "Of a rejection, retraction, contest or operator's act."),
    text("digest", "Of the content of the change."),
    index("change_key", "key_id", "revision"),
    rowid=False,
)

# --- spec: what is agreed --------------------------------------------------------------------------------------------

key = table(
    "key",
    "Every decision and component, as it is now.",
    identifier("The number by which other tables name the key."),
    text("key", "The name: path segments, `a/b/c`.", unique=True),
    text("kind", "decision or component."),
    text(
        "state", "Of a decision: open, accepted, contested or retracted; of a component: written. absent: only named."
    ),
    integer("last_version", "The newest version."),
    integer("current_version", "The accepted version of a decision, the newest of a component.", null=True),
    text("digest", "Of the current version.", null=True),
    integer("generation", "How often it was accepted since an operator last decided it."),
    integer("create_revision", "The first revision that changed it."),
    integer("member_revision", "When it last got or lost its current version: joined or left what patterns match."),
    integer("question_revision", "When a question about it was last asked or closed."),
    integer("mod_revision", "The last revision that changed it."),
    integer("compacted_revision", "The last compacted revision that changed it. NULL: none was compacted.", null=True),
    integer("compacted_generation", "The generation at that revision.", null=True),
    text("contested_reason", "Why it was contested last in what was compacted.", null=True),
)

version = table(
    "version",
    "Every version of every decision.",
    of_key(),
    number("version", "The number of the version: 1, 2, 3 and so on for each key."),
    text("language", "The language of its contract."),
    text("text", "The contract. NULL: compacted; the digests are kept.", null=True),
    text("facets", "JSON: facet name -> digest."),
    text("digest", "Of the whole contract."),
    text("state", "proposed, accepted, rejected, withdrawn, merged or retracted; a replaced one stays accepted."),
    integer("base", "The accepted version that it amends.", null=True),
    text("author", "Who proposed it."),
    text("role", "The role of the author.", null=True),
    text("rationale", "Why the author proposes it."),
    text("evidence", "JSON list of references that support it."),
    text("electorate", "JSON list of the members who may vote. NULL: nobody votes.", null=True),
    integer("quorum", "How many yes votes accept it.", null=True),
    integer("round", "The round of the step instance in which it was proposed."),
    integer("joint_revision", "Of a joint proposal: the revision that proposed all its versions.", null=True),
    text("reason", "Why it was rejected, withdrawn or retracted."),
    integer("revision", "The commit that proposed it."),
    integer("settled_revision", "The commit after which it was no longer proposed.", null=True),
    integer("merged_version", "Of a merge: the proposal whose changes were merged into it.", null=True),
    index("version_digest", "key_id", "digest"),
    index("version_live", "key_id", "version", where="state = 'proposed'"),
    index("version_joint", "joint_revision", where="joint_revision IS NOT NULL"),
    rowid=False,
)

key_history = table(
    "key_history",
    "Which version of a key was current, and in which state the key was, from a revision on.",
    of_key(),
    number("revision", "The first revision at which it was so."),
    integer("version", "The current version. NULL: there was none.", null=True),
    text("state", "The state of the key."),
    rowid=False,
)

current_facet = table(
    "current_facet",
    "The facets of the accepted version.",
    of_key("The decision."),
    part("name", "The facet. Empty: the set of the names of all facets."),
    integer("since", "The revision at which the facet got this value."),
    text("digest", "Of the value. NULL: the facet was removed.", null=True),
    # Constraints have a facet for each key that they name (`contracts.constraint.NAMES`): by these they are found.
    index("current_facet_names", "name", where="name >= 'names:' AND name < 'names;'"),
    rowid=False,
)

facet_effect = table(
    "facet_effect",
    "What the change of a facet from one value to another means for each side.",
    of_key("The decision."),
    part("name", "The facet."),
    number("new_since", "The revision at which the facet got the new value."),
    number("old_since", "The revision at which the facet got the old value."),
    text("uses", "The effect on those who use it: none, documentation, compatible or breaking."),
    text("implements", "The effect on those who implement it."),
    text("reason", "Why it is so."),
    rowid=False,
)

staleness_rule = table(
    "staleness_rule",
    "The library's rules of staleness as rows, for joins.",
    part("effect", "Of a change on the side that a pin names."),
    part("side", "uses or implements."),
    part("validation", "What checks said since the change: none, passed or failed."),
    text("state", "What the component is: current, suspect or stale."),
    integer("rank", "The state as a number: the greatest of a component's pins counts."),
    rowid=False,
)

vote = table(
    "vote",
    "Votes on versions.",
    of_key("The decision."),
    number("version", "The version."),
    part("author", "Who voted."),
    integer("approve", "1: yes; 0: no."),
    text("reason", "Why."),
    integer("revision", "The commit."),
    rowid=False,
)

question = table(
    "question",
    "Requests for a decision.",
    of_key("The key that shall be decided."),
    number("revision", "The commit that asked."),
    text("text", "The question."),
    text("options", "JSON list of possible answers."),
    text("author", "Who asked."),
    text("role", "The role of the author.", null=True),
    integer("closed_revision", "The commit that accepted or retracted the key. NULL: open.", null=True),
    rowid=False,
)

# --- spec: what is built and tested ----------------------------------------------------------------------------------

component_version = table(
    "component_version",
    "Every version of every component.",
    of_key("The component."),
    number("version", "The number of the version."),
    text("author", "Who wrote it."),
    text("role", "The role of the author.", null=True),
    text("digest", "Over the paths of its files and their digests."),
    integer("revision", "The commit."),
    rowid=False,
)

blob = table(
    "blob",
    "The contents of files, each once.",
    part("digest", "SHA-256 of the content."),
    content("content", "The content."),
)

component_file = table(
    "component_file",
    "The files of versions of components.",
    of_key("The component."),
    number("version", "Its version."),
    part("path", "The path of the file, relative to the component's folder."),
    sa.Column("blob", TEXT, sa.ForeignKey("blob.digest"), nullable=False, comment="The content."),
    index("component_file_path", "path"),  # which component has the module that is imported
    index("component_file_blob", "blob"),  # whether a file still names a blob that is to be deleted
    rowid=False,
)

pin = table(
    "pin",
    "What a version was built against: one row for each facet and side.",
    of_key("The component, or the decision whose author read another one.", name="component_id"),
    number("component_version", "Its version."),
    of_key("The decision that it relies on."),
    part("name", "The facet."),
    part("side", "uses or implements."),
    integer("version", "The version of the decision."),
    integer("since", "The revision at which the facet had got its value."),
    text("digest", "Of the value of the facet."),
    integer("observed", "1: the author did not read it, but the code uses it.", null=True),
    index("pin_by_facet", "key_id", "name", "since", "component_id", "component_version"),
    rowid=False,
)

pattern = table(
    "pattern",
    "Every pattern that another table names.",
    identifier("The number by which other tables name the pattern."),
    text("pattern", "A key in which `*` is one segment and `**` is any number.", unique=True),
)

pattern_member = table(
    "pattern_member",
    "The accepted decisions that match a pattern that some component pins.",
    refers("pattern.id", "pattern_id", _PATTERN, primary=True),
    of_key("The decision."),
    integer("since", "The revision since which it matches."),
    rowid=False,
)

pattern_pin = table(
    "pattern_pin",
    "The patterns that the author of a component's version listed: a decision that matches later makes it stale.",
    of_key("The component.", name="component_id"),
    number("component_version", "Its version."),
    refers("pattern.id", "pattern_id", _PATTERN, primary=True),
    integer("since", "The revision of the component's version."),
    rowid=False,
)

verdict = table(
    "verdict",
    "Results of checks.",
    part("check_name", "The check."),
    of_key("The component that was checked.", name="component_id"),
    number("revision", "The commit."),
    integer("version", "The version of the component."),
    integer("passed", "1: passed; 0: failed."),
    text("log", "What the check printed."),
    text("inputs", "Digest of what was checked and of the check's definition."),
    text("author", "Who ran it."),
    integer("settles_suspicion", "1: the component was suspect, and this verdict says whether the changes harmed it."),
    index("verdict_settling", "component_id", "version", "revision", where="settles_suspicion = 1"),
    rowid=False,
)

subscription = table(
    "subscription",
    "The sources that are woken when a component becomes stale or suspect.",
    of_key("The component.", name="component_id"),
    part("source", "The name of the source."),
    part("kind", "stale or suspect."),
    integer("version", "The component's current version."),
    rowid=False,
)

requirement = table(
    "requirement",
    "The decisions for which a component waits, from its accepted task; patterns are expanded.",
    of_key("The component.", name="component_id"),
    of_key("The decision."),
    integer(
        "named",
        "1: the task names it; 0: a pattern of the task matches it, and it counts only while it is being decided.",
    ),
    rowid=False,
)

requirement_pattern = table(
    "requirement_pattern",
    "Patterns that an accepted task names: a new decision that matches is required too.",
    of_key("The component.", name="component_id"),
    refers("pattern.id", "pattern_id", _PATTERN, primary=True),
    rowid=False,
)

# --- spec: where the choreography is ---------------------------------------------------------------------------------

step_instance = table(
    "step_instance",
    "Where each instance of the choreography is.",
    of_key("The key that the instance is about."),
    part("path", "The path of the step in the choreography."),
    text("state", "JSON: the state of the step."),
    integer("revision", "The commit that changed it last."),
    rowid=False,
)

deadline = table(
    "deadline",
    "Deadlines of step instances that are still waited for.",
    of_key("The key that the instance is about."),
    part("path", "The path of the step in the choreography."),
    integer("round", "The round of the step that it ends."),
    real("due", "Store time at which the fallback happens."),
    rowid=False,
)

idempotency = table(
    "idempotency",
    "The answers to commits that had an idempotency key, so that sending one twice writes once.",
    part("author", "Who committed."),
    part("idempotency_key", "The name that the author gave to the commit."),
    text("content", "Digest of what was asked for. NULL: declared void when the author looked for it.", null=True),
    integer("revision", "The commit. NULL: it is void.", null=True),
    text("accepted", "JSON list of [key, version] that it accepted."),
    integer("head_before", "The newest revision when it was written."),
    rowid=False,
)

compaction = table(
    "compaction",
    "Compactions whose commit is kept: the history before a revision was replaced by the state at it.",
    number("revision", "The commit that compacted."),
    integer("before", "The first revision that it kept."),
    text("digest", "Of the hash chain at the last revision that it did not keep."),
    text("state", "Digest of what is kept of the spec as it was before that revision."),
)

instance_count = table(
    "instance_count",
    "How many keys exist under a template that the choreography bounds.",
    part("template", "The template."),
    integer("keys", "How many keys match it."),
    rowid=False,
)
