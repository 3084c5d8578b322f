"""The one conversation with the backend: started when needed, kept, restarted, ended."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from blender_addon.core.environment import BackendCommand, scrubbed_environment
from blender_addon.core.job import DanceJob, JobState
from blender_addon.core.session import Session, log_tail

SCRIPT = Path(__file__).resolve().parents[1] / "fixtures" / "scripted_backend.py"
COMMAND = BackendCommand((sys.executable, str(SCRIPT)), scrubbed_environment())


@pytest.fixture
def session() -> Iterator[Session]:
    made = Session()
    made.begin("dance")
    yield made
    made.close(5.0)


def job(session: Session, tmp_path: Path, text: str = "", *, command: BackendCommand = COMMAND) -> DanceJob:
    made = session.new_job(
        {"type": "generate", "sample_rate_hz": 8000, "text": text}, {"audio": np.zeros(24000, dtype=np.float32)}
    )
    session.submit(made, command, log_path=tmp_path / "backend.log")
    return made


def ended(session: Session, made: DanceJob) -> DanceJob:
    for _ in range(60):
        if made.ended:
            return made
        session.wait(0.5)
    raise AssertionError(f"the job is still {made.state.value}")


def test_the_backend_stays_for_the_next_dance(session: Session, tmp_path: Path) -> None:
    assert ended(session, job(session, tmp_path)).state is JobState.DONE
    first = session.client
    assert ended(session, job(session, tmp_path)).state is JobState.DONE
    assert session.client is first


def test_another_command_starts_another_backend(session: Session, tmp_path: Path) -> None:
    ended(session, job(session, tmp_path))
    first = session.client
    other = BackendCommand(COMMAND.arguments, {**COMMAND.environment, "PIROUETTE_TRIAL": "1"})
    assert ended(session, job(session, tmp_path, command=other)).state is JobState.DONE
    assert session.client is not first
    assert first is not None
    assert not first.alive


def test_a_backend_that_died_is_told_and_started_again(session: Session, tmp_path: Path) -> None:
    failed = ended(session, job(session, tmp_path, "crash"))
    assert failed.error is not None
    assert failed.error.code == "backend_died"
    assert "illegal memory access" in failed.error.hint
    assert session.client is None
    assert ended(session, job(session, tmp_path)).state is JobState.DONE


def test_a_backend_that_cannot_be_started_is_told(session: Session, tmp_path: Path) -> None:
    nowhere = BackendCommand((str(tmp_path / "no-python"),), scrubbed_environment())
    failed = ended(session, job(session, tmp_path, command=nowhere))
    assert failed.error is not None
    assert failed.error.code == "no_environment"


def test_a_deaf_backend_is_ended_when_the_job_is_cancelled(session: Session, tmp_path: Path) -> None:
    made = job(session, tmp_path, "deaf")
    for _ in range(60):
        session.wait(0.05)
        if made.progress.stage == "plant":
            break
    made.cancel()
    for _ in range(40):
        session.wait(0.05)
        if made.ended:
            break
    assert made.state is JobState.CANCELLED
    assert session.client is None


def test_the_panel_sees_the_progress_until_the_job_ends(session: Session, tmp_path: Path) -> None:
    made = job(session, tmp_path, "wait")
    for _ in range(60):
        session.wait(0.05)
        if session.progress.stage == "plant":
            break
    assert session.progress.label == "Planting the feet"
    made.cancel()
    ended(session, made)
    session.end(warning="Cancelled.")
    assert (session.busy, session.progress.fraction, session.warning) == (False, 0.0, "Cancelled.")


def test_beginning_forgets_the_last_error(session: Session) -> None:
    session.warning = "old"
    session.begin("setup")
    assert (session.error, session.warning, session.activity) == (None, "", "setup")


def test_the_end_of_a_log(tmp_path: Path) -> None:
    path = tmp_path / "backend.log"
    assert log_tail(path) == ""
    path.write_bytes(b"".join(b"line %d \xff\n" % n for n in range(100)))
    assert log_tail(path, lines=2).splitlines()[-1].startswith("line 99")
