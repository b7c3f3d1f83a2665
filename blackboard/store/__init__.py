"""The store: one board in one SQLite file, written by one connection of each process.

The way of a commit. `Transaction.commit` calls `commit.commit`. It plans outside any database transaction, with the
facts that `facts` reads. The plan waits in the write queue (`writer`, `queue`). The leader of the queue takes the
board's row (`session`; between processes `line` keeps the order), and for each waiting commit (`group`) it validates
idempotency key, lease and reads (`commit`), writes the plan's rows (`apply`), the log, the hash chain (`chain`) and the
activations that it causes (`wake`). One COMMIT makes the group durable, then each caller gets its answer.

Tables
    schema, control, views   tables with revisions; tables without (agenda, leases, budgets); views for people
    columns, statements      kinds of columns; statements compiled once for the driver
Connections
    sqlite, dialect, forks   connections and the driver's errors; what differs between engines; forks of the process
    opened, clock            an opened board; store time
    place, creation          where a file can be a board; how a new file becomes one
    durability, journal      `full` or `normal`; the size of the write-ahead log
Writing
    writer, queue, group     the write queue of threads, and group commit
    session, line            a writing transaction; the order of processes
    commit, apply, chain     validation; rows of a plan; the hash chain
    content, audit           the content that an idempotency key stands for; an operator's act as a commit
    reservations             authors that were refused repeatedly, and what is reserved for them
    wake                     activations that a commit causes or settles
Reading
    feed, watcher, notice    the change feed; waiting for a commit of any process; notices of the file system
    remembered, epoch        the newest head that this process saw; one unbroken history
    facts, instances         the head, for the rules of a plan; the number of keys under a template
    read, gather             the board as of a revision; everything that convergence depends on
    uses                     what the code of components relies on
    premises, causes         why a commit was refused; why a component is stale
    overview, preview        what a person sees; what a commit would do
    constraints              the values of constraints at a revision
Agenda
    claims, agenda           claiming activations; renewing, finishing and releasing leases
    ratings, budgets, calls  ratings in batches; budgets and resources; calls of models
    workers, liveness        worker processes; which processes of this host are dead
    operate                  acts of operators
Upkeep
    doctor, verify, replay   examination of a board: rows, hash chain, and the feed replayed
    surroundings             the engine, file system, permissions and space
    backup, exported         verified copies of a board; a program in a folder
    compact, remains         compaction, and what it keeps
    upgrade                  the schema of a board

Nothing here decides: policy is in `blackboard.plan`.
"""
