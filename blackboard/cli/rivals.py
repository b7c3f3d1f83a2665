"""Other distributions that install a package named `blackboard`: in one environment they overwrite our files."""

from importlib.metadata import PackageNotFoundError, distribution

RIVALS = ("blackboardx", "blackboard-core")


def rivals() -> tuple[str, ...]:
    """Return the names of such distributions that are installed here."""
    return tuple(name for name in RIVALS if _is_installed(name))


def warning() -> str:
    """Return a warning about installed ones with the next step, "" if there is none."""
    found = " and ".join(rivals())
    if not found:
        return ""
    return (
        f"{found} also installs a package named blackboard and may have overwritten files of sharedspec: "
        "keep them in an environment of their own and reinstall sharedspec"
    )


def _is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True
