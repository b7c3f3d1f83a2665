"""A model that knows nothing but its prompt: whatever a prompt does not show is missing from what it writes.

    with Loopback(Member()) as server:
        model = server.model()

`Member` is a program behind `loopback`. It parses the fact blocks of a request and answers the act that they ask for.
How it splits a prompt of a whole team is a table (`plans`). What it writes rests on its own prompt alone: it imports
what a block says that it can import, it gives a function the behaviour of those sentences of the contract that it
understands (`meanings`), and it tests what the task and the checks ask to be tested. Its habits make it worse.
"""

from .member import Habit, Member, Seen

__all__ = ["Habit", "Member", "Seen"]
