"""What a disk may hold after its power was lost, rebuilt from what strace saw of the shipped library.

A file's writes and truncations are in the cache until a sync of that file that began after they ended; names that were
made, removed or moved are until a sync of the folder. At a cut, whatever is still in the cache may have reached the
disk or not, each sector (and each name) for itself and at any of its stages. What processes share by mapping it into
their memory, SQLite's index of the log and the line, is no durable state and is left out.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

TRACE = (
    "trace=openat,close,?write,?pwrite64,?ftruncate,?truncate,?fallocate,?fsync,?fdatasync,?unlink,?unlinkat,"
    "?rename,?renameat,?renameat2,?link,?linkat,?writev,?pwritev,?pwritev2,?copy_file_range,?sendfile"
)
OPTIONS = ["-y", "-xx", "-s", "100000000", "-e", TRACE]
LEFT_OUT = ("-shm", "-line")
SECTORS = (512, 4096)
LOSSES = (0.05, 0.3, 0.5, 0.9, 1.0)
"""How likely it is that something in the cache did not reach the disk; one of these for each image."""

_CALL = re.compile(r"(\w+)\((.*)\)\s+= (-?\d+|\?)(.*)", re.DOTALL)
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_OPENED = re.compile(r"^(\d+)<((?:\\x[0-9a-f]{2})*)>(\(deleted\))?")
_UNFINISHED, _RESUMED = " <unfinished ...>", re.compile(r"<\.\.\. \w+ resumed>(.*)", re.DOTALL)


@dataclass(frozen=True)
class Call:
    """A system call that succeeded: from when to when, by the lines of the trace."""

    begun: int
    ended: int
    name: str
    arguments: str
    result: int
    tail: str

    @property
    def strings(self) -> list[bytes]:
        """The strings among the arguments, as they were."""
        return [_bytes(found) for found in _STRING.findall(self.arguments)]

    @property
    def file(self) -> tuple[int, Path, bool] | None:
        """The descriptor, its file, and whether the name of that file is gone; None where it is about names."""
        found = _OPENED.match(self.arguments)
        return None if found is None else (int(found[1]), Path(_bytes(found[2]).decode()), bool(found[3]))

    @property
    def last_number(self) -> int:
        return int(self.arguments.rsplit(",", 1)[1])


def _bytes(escaped: str) -> bytes:
    return bytes.fromhex(escaped.replace("\\x", ""))


def calls(trace: Path) -> list[Call]:
    """Return what succeeded, in the order in which it ended."""
    begun: dict[str, tuple[int, str]] = {}
    found: list[Call] = []
    for number, line in enumerate(trace.read_text().splitlines()):
        thread, text = line.split(None, 1)
        if text.endswith(_UNFINISHED):
            begun[thread] = (number, text.removesuffix(_UNFINISHED))
            continue
        start = number
        if resumed := _RESUMED.match(text):
            start, first = begun.pop(thread)
            text = first + resumed[1]
        parts = _CALL.match(text)
        if parts is not None and parts[3] != "?" and not parts[3].startswith("-"):
            found.append(Call(start, number, parts[1], parts[2], int(parts[3]), parts[4]))
    return found


@dataclass
class Stage:
    """One thing that happened to a file and may not have reached the disk: `content` None is a truncation."""

    ended: int
    offset: int
    content: bytes | None


@dataclass(eq=False)
class File:
    """A file, whatever its name: what is on the disk for certain, and what came after."""

    durable: bytearray = field(default_factory=bytearray)
    stages: list[Stage] = field(default_factory=list)

    def synced(self, before: int) -> None:
        """Take a sync that began at a line of the trace."""
        rest = []
        for stage in self.stages:
            if stage.ended < before:
                _apply(self.durable, stage)
            else:
                rest.append(stage)
        self.stages = rest

    def image(self, draw: random.Random, loss: float) -> bytes:
        """Return what may be found in it."""
        sector = draw.choice(SECTORS)
        sizes = [len(self.durable)]
        touched: dict[int, list[Stage]] = {}
        for stage in self.stages:
            size = stage.offset if stage.content is None else max(sizes[-1], stage.offset + len(stage.content))
            last = max(*sizes, size) if stage.content is None else stage.offset + len(stage.content)
            for number in range(stage.offset // sector, -(-last // sector)):
                touched.setdefault(number, []).append(stage)
            sizes.append(size)
        largest = -(-max(sizes) // sector) * sector
        content = self.durable.ljust(largest, b"\0")
        for number, stages in touched.items():
            kept = len(stages) if draw.random() >= loss else draw.randrange(len(stages))
            begin, end = number * sector, (number + 1) * sector
            whole = bytearray(content[begin:end])
            for stage in stages[:kept]:
                if stage.content is None:
                    cut = max(0, stage.offset - begin)
                    whole[cut:] = bytes(len(whole) - cut)
                else:
                    first, beyond = max(begin, stage.offset), min(end, stage.offset + len(stage.content))
                    whole[first - begin : beyond - begin] = stage.content[first - stage.offset : beyond - stage.offset]
            content[begin:end] = whole
        size = sizes[-1] if draw.random() >= loss else draw.choice(sizes)
        return bytes(content[:size])


def _apply(content: bytearray, stage: Stage) -> None:
    if stage.content is None:
        del content[stage.offset :]
        content.extend(bytes(stage.offset - len(content)))
        return
    content.extend(bytes(max(0, stage.offset - len(content))))
    content[stage.offset : stage.offset + len(stage.content)] = stage.content


@dataclass
class Renaming:
    """One thing that happened to the folder: a name given to a file, or taken away where `file` is None."""

    ended: int
    names: dict[str, File | None]


class Disk:
    """A folder as it is seen, and as it may be after its power was lost."""

    def __init__(self, folder: Path, log: Path, begun: Path) -> None:
        """Begin with the files of `begun`, all of them on the disk, under the names that `folder` had."""
        self.folder, self.log = folder, log
        self.seen = {place.name: File(bytearray(place.read_bytes())) for place in begun.iterdir()}
        self.names: dict[str, File] = dict(self.seen)
        self.renamings: list[Renaming] = []
        self.said: list[str] = []
        self._positions: dict[int, int] = {}

    def images(self, happened: list[Call], cuts: list[int], draw: random.Random) -> Iterator[tuple[int, dict, list]]:
        """Yield (cut, name -> content, lines of the log) for each cut, ascending: before that call ended.

        A call that had begun may have done something, and what it says may have been heard.
        """
        done = 0
        for cut in sorted(cuts):
            while done < cut:
                self.take(happened[done])
                done += 1
            line = happened[cut - 1].ended if cut else -1
            flying = [call for call in happened[cut:] if call.begun <= line]
            heard = [text for call in flying if self._about_log(call) for text in _lines(call)]
            yield cut, self._image(draw, flying), [*self.said, *heard]

    def take(self, call: Call) -> None:
        """Let a call happen."""
        if call.name == "openat":
            self._open(call)
        elif self._about_log(call):
            self.said += _lines(call)
        elif call.name in ("fsync", "fdatasync"):
            self._sync(call)
        elif stage := self._stage(call):
            name, change = stage
            self.seen[name].stages.append(change)
        elif (names := self._moved(call)) is not None:
            for name, file in names.items():
                self.seen.pop(name, None)
                if file is not None:
                    self.seen[name] = file
            self.renamings.append(Renaming(call.ended, names))

    def _image(self, draw: random.Random, flying: list[Call]) -> dict[str, bytes]:
        loss = draw.choice(LOSSES)
        names = dict(self.names)
        for renaming in self.renamings:
            if draw.random() >= loss:
                for name, file in renaming.names.items():
                    names.pop(name, None)
                    if file is not None:
                        names[name] = file
        added: list[tuple[File, Stage]] = []
        for call in flying:
            stage = self._stage(call)
            if stage is not None and stage[0] in self.seen:
                added.append((self.seen[stage[0]], stage[1]))
                added[-1][0].stages.append(added[-1][1])
        found = {name: file.image(draw, loss) for name, file in names.items() if not name.endswith(LEFT_OUT)}
        for file, stage in added:
            file.stages.remove(stage)
        return found

    # --- single calls ---

    def _about_log(self, call: Call) -> bool:
        return call.name == "write" and call.file is not None and call.file[1] == self.log

    def _inside(self, place: Path) -> bool:
        return place.parent == self.folder

    def _open(self, call: Call) -> None:
        place = Path(call.strings[-1].decode())
        if not self._inside(place):
            return
        self._positions[call.result] = 0
        if "O_CREAT" in call.arguments and place.name not in self.seen:
            self.seen[place.name] = File()
            self.renamings.append(Renaming(call.ended, {place.name: self.seen[place.name]}))
        if "O_TRUNC" in call.arguments:
            self.seen[place.name].stages.append(Stage(call.ended, 0, None))

    def _sync(self, call: Call) -> None:
        _, place, gone = call.file
        if place == self.folder:
            rest = []
            for renaming in self.renamings:
                if renaming.ended >= call.begun:
                    rest.append(renaming)
                    continue
                for name, file in renaming.names.items():
                    self.names.pop(name, None)
                    if file is not None:
                        self.names[name] = file
            self.renamings = rest
        elif self._inside(place) and not gone:
            self.seen[place.name].synced(call.begun)

    def _stage(self, call: Call) -> tuple[str, Stage] | None:
        """Return the name of the file whose content a call changes, and how; None where it changes none."""
        if call.file is None or not self._inside(call.file[1]) or call.file[2]:
            return None
        descriptor, place, _ = call.file
        match call.name:
            case "pwrite64":
                return place.name, Stage(call.ended, call.last_number, call.strings[0][: call.result])
            case "write":
                begin = self._positions.get(descriptor, 0)
                self._positions[descriptor] = begin + call.result
                return place.name, Stage(call.ended, begin, call.strings[0][: call.result])
            case "ftruncate":
                return place.name, Stage(call.ended, call.last_number, None)
            case "openat" | "close" | "fsync" | "fdatasync":
                return None
        raise NotImplementedError(f"{call.name} on {place}: tell power_loss what it does to a file")

    def _moved(self, call: Call) -> dict[str, File | None] | None:
        """Return what a call changes of the folder: name -> file, None where the name goes."""
        if call.file is not None or call.name in ("close", "openat"):
            return None
        places = [Path(text.decode()) for text in call.strings]
        inside = [place.name for place in places if self._inside(place)]
        if not inside:
            return None
        if call.name.startswith("unlink"):
            return {inside[0]: None}
        before, after = inside
        return {after: self.seen[before], **({before: None} if call.name.startswith("rename") else {})}


def _lines(call: Call) -> list[str]:
    return call.strings[0].decode().splitlines()


def written_out(image: dict[str, bytes], folder: Path) -> None:
    """Make a folder of an image."""
    folder.mkdir()
    for name, content in image.items():
        (folder / name).write_bytes(content)
