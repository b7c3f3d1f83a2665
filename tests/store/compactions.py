"""What tests of compactions share: how an operator folds, and what a board keeps."""

from blackboard.store import read
from blackboard.store.compact import compact


def folded(board, before, *, author="olga", reason="tidy"):
    return compact(board.store, before=before, author=author, reason=reason)


def first_of(board):
    with board.store.database.reading() as on:
        return read.board_row(on)["first_revision"]
