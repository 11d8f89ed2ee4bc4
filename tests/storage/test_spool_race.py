"""Two processes of one compartment flush the same row at the same time: the message arrives, once and whole."""

from __future__ import annotations

import threading
from pathlib import Path

from appliance.spool.delivery import write_messages


def test_the_same_message_written_at_once_by_many(tmp_path: Path) -> None:
    body = b'{"message":"x"}' * 5000
    failures: list[BaseException] = []

    def write() -> None:
        try:
            for number in range(20):
                write_messages(tmp_path, [(f"{number:012d}-{'ab' * 16}", body)])
        except OSError as error:
            failures.append(error)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{n:012d}-{'ab' * 16}.json" for n in range(20)]
    assert all(path.read_bytes() == body for path in tmp_path.iterdir())
