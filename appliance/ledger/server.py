"""`wardwell ledger serve`: the unix socket on which everything is appended before it is revealed.

Owns: connections, the grouping of waiting appends into one transaction, and the rhythm of publishing. Must never see:
who asks; whoever may open the socket may append. One JSON line each way (`appliance.spool.append`); a line that is no
request is refused and harms nobody else.

An append is answered when it is on disk. After that, within PUBLISH_SECONDS, come the messages to desk and the
tiles with their checkpoint. One thread writes the database, another the public files.
"""

from __future__ import annotations

import asyncio
import contextlib
import stat
from concurrent.futures import ThreadPoolExecutor

import msgspec
import structlog

from appliance import clock, durable
from appliance.errors import WardwellError
from appliance.ledger.log import Log
from appliance.runtime.turns import HEALTH_SECONDS, Control, Duty, Turns
from appliance.settings import Home
from appliance.spool import delivery
from appliance.spool.append import LINE_LIMIT
from appliance.spool.messages import Append, Appended, Health, Refused
from appliance.storage import open_store

PUBLISH_SECONDS = 0.3
READ_SECONDS = 5.0
GROUP_LIMIT = 128

_log = structlog.get_logger("ledger")
_decode = msgspec.json.Decoder(Append).decode
_encode = msgspec.json.Encoder().encode
_Waiting = tuple[Append, "asyncio.Future[Appended | Refused]"]


class Server:
    """The ledger's process around one open Log."""

    def __init__(self, home: Home, log: Log) -> None:
        self._home, self._log_of = home, log
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._changed = asyncio.Event()
        # Threads of their own: an append never waits for the disk to take tiles.
        self._database = ThreadPoolExecutor(1, "database")
        self._files = ThreadPoolExecutor(1, "files")
        self._turns = ThreadPoolExecutor(1, "turns")

    async def run(self, control: Control) -> None:
        """Serve until `control` says stop; raises what ended any of its tasks."""
        socket = self._home.socket("ledger")
        socket.parent.mkdir(parents=True, exist_ok=True)
        socket.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(self._serve, socket, limit=LINE_LIMIT)
        socket.chmod(stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP | stat.S_IWGRP)
        _log.info("serving", entries=self._log_of.size)
        loop = asyncio.get_running_loop()
        turns = loop.run_in_executor(self._turns, self._take_turns, control, loop)
        tasks = [turns, asyncio.ensure_future(self._commit()), asyncio.ensure_future(self._publish())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            server.close()
            control.stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._turns.shutdown()
            self._database.shutdown()
            self._files.shutdown()
            socket.unlink(missing_ok=True)
        self._log_of.flush()
        self._log_of.publish()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            reply = await self._answer(reader)
            writer.write(_encode(reply) + b"\n")
            await writer.drain()
        except (ConnectionError, TimeoutError):
            pass  # the asker is gone; what it asked for is in the log or not, and it was told nothing
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader) -> Appended | Refused:
        try:
            async with asyncio.timeout(READ_SECONDS):
                line = await reader.readline()
            request = _decode(line)
        except ValueError:
            # Too long a line is a ValueError as well; so are msgspec's errors. None repeats what was sent.
            return Refused(reason="that line is no request")
        future: asyncio.Future[Appended | Refused] = asyncio.get_running_loop().create_future()
        await self._queue.put((request, future))
        return await future

    async def _commit(self) -> None:
        """Append what waits, all of it in one transaction; meanwhile the next group gathers."""
        loop = asyncio.get_running_loop()
        while True:
            group = [await self._queue.get()]
            while not self._queue.empty() and len(group) < GROUP_LIMIT:
                group.append(self._queue.get_nowait())
            requests = [request for request, _ in group]
            try:
                results = await loop.run_in_executor(self._database, self._log_of.append_all, requests)
            except BaseException:
                for _, future in group:
                    if not future.done():
                        future.set_result(Refused(reason="the ledger could not write"))
                raise
            for (_, future), answer in zip(group, results, strict=True):
                if not future.done():
                    future.set_result(answer)
            self._changed.set()

    async def _publish(self) -> None:
        """Send messages on at once; write tiles at once after a pause, at most every PUBLISH_SECONDS under load."""
        loop = asyncio.get_running_loop()
        while True:
            await self._changed.wait()
            self._changed.clear()
            await loop.run_in_executor(self._files, self._log_of.flush)
            await loop.run_in_executor(self._files, self._log_of.publish)
            await asyncio.sleep(PUBLISH_SECONDS)

    def _take_turns(self, control: Control, loop: asyncio.AbstractEventLoop) -> None:
        """The turn loop, in a thread of its own: it waits for the other two threads, and the event loop for none."""

        def tick() -> None:
            """Look for the epoch's turn and for the witness's word."""
            turned = self._database.submit(self._log_of.receive).result()
            heeded = self._database.submit(self._log_of.heed_witness).result()
            if turned or heeded:
                loop.call_soon_threadsafe(self._changed.set)

        def report() -> None:
            facts = {"entries": str(self._log_of.size)}
            health = Health(compartment="ledger", at=clock.now(), ok=True, facts=facts, fix="")
            self._files.submit(delivery.send, self._home, "ledger", "desk", health).result()

        Turns(control, _log, pause=PUBLISH_SECONDS, survives=()).run(Duty(tick), Duty(report, HEALTH_SECONDS))


def serve(home: Home, control: Control) -> None:
    """Run the ledger until `control` says stop. Raises WardwellError when database and published log disagree."""
    # Two ledgers on one database would publish two histories.
    busy = WardwellError("A ledger is already serving here.", "Stop it first.")
    alone = durable.locked(home.folder("ledger") / "lock", refusal=busy)
    with alone, contextlib.closing(open_store(home, "ledger")) as store:
        asyncio.run(Server(home, Log(store)).run(control))
