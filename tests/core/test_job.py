"""A job from submit to its closing message, and what the animator sees of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from blender_addon.core.job import CANCEL_PATIENCE_S, DanceJob, JobState
from blender_addon.core.progress import STAGES, ProgressMeter, in_words
from blender_addon.core.protocol import Message, ProtocolError


class Client:
    """Takes requests and remembers what it was asked."""

    def __init__(self) -> None:
        self.cancelled: list[str] = []

    def submit(self, message: Mapping[str, Any], arrays: Mapping[str, Any] | None = None) -> str:
        if message["type"] == "too long":
            raise ProtocolError("A message's arrays have too many bytes.")
        return "7"

    def cancel(self, identity: str, /) -> None:
        self.cancelled.append(identity)


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def message(type_: str, identity: str = "7", **fields: Any) -> Message:
    return Message({"type": type_, "id": identity, **fields})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def job(client: Client, clock: Clock) -> DanceJob:
    made = DanceJob({"type": "generate"}, {"audio": np.zeros(3)}, clock=clock)
    made.submit(client)
    return made


def test_a_result_ends_the_job(job: DanceJob) -> None:
    assert job.state is JobState.RUNNING
    job.receive(message("progress", stage="dance", done=1, total=2))
    assert not job.ended
    job.receive(message("result"))
    assert (job.state, job.result is not None) == (JobState.DONE, True)


def test_messages_about_other_requests_are_not_its_own(job: DanceJob) -> None:
    job.receive(message("result", identity="6"))
    job.receive(message("error", identity="", code="internal"))
    assert job.state is JobState.RUNNING


def test_an_error_is_kept_with_its_code_and_hint(job: DanceJob) -> None:
    job.receive(message("error", code="silence", message="It is silent.", hint="Turn it up."))
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert (job.error.code, str(job.error)) == ("silence", "It is silent. Turn it up.")


def test_an_error_without_words_still_says_something(job: DanceJob) -> None:
    job.receive(message("error"))
    assert job.error is not None
    assert job.error.message == "The backend gave no reason."


def test_nothing_changes_after_the_closing_message(job: DanceJob) -> None:
    job.receive(message("cancelled"))
    job.receive(message("result"))
    job.cancel()
    job.give_up()
    assert (job.state, job.result) == (JobState.CANCELLED, None)


def test_cancel_asks_the_backend_once(job: DanceJob, client: Client) -> None:
    job.cancel()
    job.cancel()
    assert client.cancelled == ["7"]
    assert job.state is JobState.CANCELLING


def test_a_result_that_was_under_way_when_cancelled_is_not_used(job: DanceJob) -> None:
    job.cancel()
    job.receive(message("result"))
    assert (job.state, job.result) == (JobState.CANCELLED, None)


def test_a_backend_that_does_not_agree_in_time_is_overdue(job: DanceJob, clock: Clock) -> None:
    job.cancel()
    assert not job.overdue
    clock.now_s += CANCEL_PATIENCE_S + 0.01
    assert job.overdue
    job.give_up()
    assert job.ended
    assert CANCEL_PATIENCE_S < 1.0


def test_a_job_cancelled_before_it_was_sent_never_is(client: Client) -> None:
    job = DanceJob({"type": "generate"}, {})
    job.cancel()
    assert job.state is JobState.CANCELLED
    with pytest.raises(RuntimeError, match="submitted once"):
        job.submit(client)


def test_a_request_that_may_not_be_sent_fails_the_job(client: Client) -> None:
    job = DanceJob({"type": "too long"}, {})
    job.submit(client)
    assert job.error is not None
    assert (job.error.code, job.state) == ("bad_request", JobState.FAILED)


def test_warnings_are_collected(job: DanceJob) -> None:
    job.receive(message("warning", message="No clear beat."))
    assert job.warnings == ["No clear beat."]


def test_odd_progress_does_no_harm(job: DanceJob) -> None:
    for fields in ({}, {"stage": 5, "done": "x", "total": None}, {"stage": "polish", "done": 1, "total": 0}):
        job.receive(message("progress", **fields))
    assert job.state is JobState.RUNNING


# Progress


def test_the_shares_of_all_stages_make_one_whole() -> None:
    assert sum(share for share, _ in STAGES.values()) == pytest.approx(1.0)


def test_progress_grows_through_the_stages_and_never_goes_back() -> None:
    meter = ProgressMeter(now_s=0.0)
    seen = [meter.report(stage, done=done, total=4, now_s=1.0).fraction for stage in STAGES for done in range(5)]
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1.0)
    assert meter.report("listen", done=0, total=1, now_s=2.0).fraction == seen[-1]
    assert meter.report("an unknown stage", done=9, total=1, now_s=2.0).fraction == seen[-1]


def test_time_left_follows_the_pace_and_leaves_the_backends_start_out() -> None:
    meter = ProgressMeter(now_s=0.0)
    meter.report("start", done=0, total=1, now_s=0.0)
    assert meter.report("listen", done=0, total=1, now_s=20.0).time_left_s is None
    before = sum(STAGES[name][0] for name in ("mix", "start", "listen"))
    half = meter.report("dance", done=1, total=2, now_s=24.0)
    pace = (half.fraction - sum(STAGES[name][0] for name in ("mix", "start"))) / 4.0
    assert half.fraction == pytest.approx(before + STAGES["dance"][0] / 2)
    assert half.time_left_s == pytest.approx((1.0 - half.fraction) / pace)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, ""), (0.2, "about 1 s left"), (41.6, "about 42 s left"), (200.0, "about 3 min left")],
)
def test_time_left_reads_well(seconds: float | None, words: str) -> None:
    assert in_words(seconds) == words
