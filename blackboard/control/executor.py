"""The threads of sources, and one event loop for `async def` sources.

A source that never returns blocks only its own thread: threads are daemons, an abandoned one is replaced, and the end
of a controller does not wait for it.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

Job = Callable[[], None]

_BOOKKEEPERS = 4


class Threads:
    """A pool of daemon threads; a thread is added if all are busy."""

    def __init__(self, name: str = "source") -> None:
        self._name = name
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._guard = threading.Lock()
        self._idle = 0
        self._threads = 0

    def submit(self, job: Job) -> None:
        """Run a job, which raises nothing, in a thread of its own."""
        with self._guard:
            if self._idle:
                self._idle -= 1
            else:
                self._threads += 1
                threading.Thread(target=self._work, name=f"{self._name}-{self._threads}", daemon=True).start()
        self._jobs.put(job)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
            with self._guard:
                self._idle += 1

    def close(self) -> None:
        """End each thread after its current job, without waiting for it."""
        for _ in range(self._threads):
            self._jobs.put(None)


class _Unbounded(ThreadPoolExecutor):
    """The event loop's default executor: a call that hangs blocks neither other calls nor the end of the process.

    It derives from `ThreadPoolExecutor` because an event loop accepts no other class; it starts none of its threads.
    """

    def __init__(self) -> None:
        super().__init__()
        self._calls = Threads("source-call")

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401 - as its base
        """Run a function in a daemon thread of its own."""
        future: Future[Any] = Future()

        def job() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001 - the future raises it
                future.set_exception(error)
            else:
                future.set_result(result)

        self._calls.submit(job)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        """End each thread after its current call, without waiting for it."""
        self._calls.close()


class EventLoop:
    """One event loop in its own thread, made for the first coroutine.

    Attributes:
        bookkeeping: A few threads for the work before and after a coroutine, separate from those that sources use.
    """

    def __init__(self) -> None:
        self.bookkeeping = ThreadPoolExecutor(_BOOKKEEPERS, thread_name_prefix="source-end")
        self._guard = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def run(self, coroutine: Coroutine[Any, Any, None], timeout_seconds: float | None) -> None:
        """Run a coroutine in the loop and wait for its end in the calling thread.

        Raises:
            TimeoutError: It took longer; it was cancelled.
            Exception: Whatever the coroutine raised.
        """

        async def bounded() -> None:
            async with asyncio.timeout(timeout_seconds):
                await coroutine

        asyncio.run_coroutine_threadsafe(bounded(), self._running()).result()

    def submit(self, coroutine: Coroutine[Any, Any, None]) -> Future[None]:
        """Run a coroutine in the loop; cancelling the future cancels the coroutine."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._running())

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._guard:
            if self._loop is None:
                loop = self._loop = asyncio.new_event_loop()
                loop.set_default_executor(_Unbounded())
                self._thread = threading.Thread(target=_for_ever, args=(loop,), name="source-loop", daemon=True)
                self._thread.start()
            return self._loop

    def close(self) -> None:
        """Cancel the running coroutines and end the loop; one that ignores the cancellation is abandoned."""
        with self._guard:
            loop, thread = self._loop, self._thread
            self._loop = None
        if loop is not None and thread is not None:
            asyncio.run_coroutine_threadsafe(_cancel_all(), loop)
            thread.join(_GRACE_SECONDS)
            if not thread.is_alive():
                loop.close()
        self.bookkeeping.shutdown(wait=False)


_GRACE_SECONDS = 2.0


def _for_ever(loop: asyncio.AbstractEventLoop) -> None:
    """Run a loop until it is stopped; `SystemExit` in a task ends only that task, as in a thread."""
    while True:
        try:
            loop.run_forever()
        except (SystemExit, KeyboardInterrupt):
            # The task keeps the exception and raises it when its result is awaited.
            continue
        return


async def _cancel_all() -> None:
    """Cancel every other task, let them end, and stop the loop."""
    me = asyncio.current_task()
    others = [task for task in asyncio.all_tasks() if task is not me]
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others, timeout=_GRACE_SECONDS / 2)
    loop = asyncio.get_running_loop()
    await loop.shutdown_asyncgens()
    loop.call_soon(loop.stop)
