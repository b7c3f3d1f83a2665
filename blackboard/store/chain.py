"""The chain of commits: what each of them adds to the log and the feed, and the digest that holds the one before."""

from collections.abc import Mapping

from blackboard.spec.canonical import JSON, digest_made
from blackboard.store import schema
from blackboard.store.statements import Insertion, Statement, insert_into

CHANGED = Statement("UPDATE key SET mod_revision = :revision WHERE id = :id")
CHANGE = insert_into(schema.change)
LOG = Insertion(schema.commit_log, ["role", "token", "choreography"])
ADVANCE = Statement(
    "UPDATE board SET revision = :revision, digest = :digest, store_time = :now, "
    "installed = CASE WHEN :installs THEN :revision ELSE installed END"
)


def chain(previous: str, record: Mapping[str, JSON], changes: list[list[JSON]]) -> str:
    """Return the digest of a commit, which holds that of the one before."""
    at = record["at"]
    whole = int(at) if isinstance(at, float) and at.is_integer() else at
    return digest_made({"previous": previous, "commit": {**record, "at": whole}, "changes": changes})
