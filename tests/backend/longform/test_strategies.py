"""Ways to make a long dance: each covers every frame once, tells windows what is known, and meets at its seams."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from backend.diffusion.conditions import Conditions, Words
from backend.diffusion.guided import GuidedDenoiser, known_of
from backend.diffusion.sampling import Given, Sampler
from backend.errors import PirouetteError
from backend.longform.bidirectional import SLICE_FRAMES, TRUSTED_FROM, bidirectional
from backend.longform.making import make
from backend.longform.segments import segments
from backend.longform.sequential import PAST_FRAMES, window_starts_after
from backend.longform.spans import even_borders, seen_from
from backend.models.denoiser import DenoiserConfig, ParallelMambaDenoiser
from backend.models.known import Known

STRATEGIES = ("sequential", "bidirectional", "overlapping")


def directed(**changes: object) -> ParallelMambaDenoiser:
    torch.manual_seed(0)
    sizes = {"width": 32, "blocks": 2, "heads": 2, "state": 8, "decoder_width": 16, "directed": True}
    network = ParallelMambaDenoiser(DenoiserConfig(**{**sizes, **changes})).eval()
    with torch.no_grad():  # what is known is heard
        for layer in (network.known.flags, network.known.enter, network.known.out) if network.known else ():
            layer.weight.normal_(0.0, 0.05)
    return network


def nothing(frames: int) -> Conditions:
    return Conditions(torch.zeros(frames, 45), None, None)


def made(network: ParallelMambaDenoiser, frames: int, **wishes: object) -> torch.Tensor:
    return make(
        network, nothing(frames), sampler=Sampler(steps=3), generator=torch.Generator().manual_seed(1), **wishes
    )


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("frames", [80, 300, 302, 644, 1100])
def test_every_strategy_makes_as_many_frames_as_asked_for(strategy: str, frames: int) -> None:
    rows = made(directed(), frames, strategy=strategy)
    assert rows.shape == (frames, 151)
    assert torch.isfinite(rows).all()


def test_a_dance_of_one_window_is_the_same_in_every_strategy() -> None:
    network = directed()
    first, *others = (made(network, 200, strategy=strategy) for strategy in STRATEGIES)
    assert all(torch.equal(first, other) for other in others)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_is_known_stays_whatever_the_strategy(strategy: str) -> None:
    clean = torch.randn(700, 151, generator=torch.Generator().manual_seed(2))
    kept = torch.zeros(700, 151)
    kept[:40], kept[333, 7:40], kept[690:] = 1.0, 1.0, 1.0
    rows = made(directed(), 700, strategy=strategy, given=Given(clean, kept))
    assert torch.equal(rows[kept == 1], clean[kept == 1])


def test_sequential_windows_begin_with_the_end_of_the_one_before() -> None:
    starts = window_starts_after(1000, 300, multiple=2)
    assert starts[0] == 0
    assert starts[-1] == 700
    assert all(later - earlier <= 300 - PAST_FRAMES for earlier, later in pairwise(starts))


def test_a_sequential_window_is_told_what_was_made_before_it() -> None:
    seen: list[Known] = []

    class Listening(ParallelMambaDenoiser):
        def forward(self, noisy, step, music_tokens, prompt, known=None) -> torch.Tensor:
            seen.append(known)
            return torch.ones_like(noisy) * len(seen)

    network = Listening(directed().config).eval()
    rows = make(
        network,
        nothing(500),
        sampler=Sampler(steps=3, guidance=1.0),
        generator=torch.Generator().manual_seed(1),
        strategy="sequential",
    )
    last = seen[-1]
    past = 300 - 200  # the second window begins at 200
    assert last.mask[0, :past].min() == 1.0
    assert last.mask[0, past:].max() == 0.0
    assert torch.allclose(last.clean[0, :past], rows[200:300])


def test_a_slice_is_told_the_slice_before_once_its_prediction_is_trusted() -> None:
    told: list[tuple[int, float]] = []

    class Listening(ParallelMambaDenoiser):
        def trunk(self, noisy, step, music_tokens, prompt, known=None):
            told.append((int(step[0]), float(known.mask.sum())))
            return super().trunk(noisy, step, music_tokens, prompt, known)

    network = Listening(directed().config).eval()
    given = known_of(torch.zeros(720, 151), torch.zeros(720, 1), torch.zeros(720, 45), novelty=0.0, network=network)
    predict = bidirectional(GuidedDenoiser(network, nothing(720), 1.0, given))
    with torch.inference_mode():
        predict(torch.randn(720, 151), TRUSTED_FROM + 1)
        predict(torch.randn(720, 151), TRUSTED_FROM)
    early, late = told[: len(told) // 2], told[len(told) // 2 :]
    assert len(late) == 720 // SLICE_FRAMES
    assert all(known == 0.0 for _, known in early)
    assert late[0][1] == 0.0
    assert all(known > 0.0 for _, known in late[1:])


def test_the_local_decoder_sees_all_slices_at_once() -> None:
    lengths: list[int] = []
    network = directed()
    network.decoder.register_forward_hook(lambda module, told, out: lengths.append(out.shape[1]))
    made(network, 720, strategy="bidirectional")
    assert lengths.count(720) == 3  # once a step


def test_segments_are_one_batch_and_meet_without_blending() -> None:
    batches: list[int] = []
    network = directed()
    network.register_forward_hook(lambda module, told, out: batches.append(len(out)))
    predict = segments(GuidedDenoiser(network, nothing(800), 1.0, None), [0, 280, 540, 800])
    with torch.inference_mode():
        assert predict(torch.randn(800, 151), 500).shape == (800, 151)
    assert batches == [3]


def test_a_network_that_cannot_be_told_refuses_slices_in_words() -> None:
    with pytest.raises(PirouetteError, match="bidirectional"):
        made(directed(directed=False), 700, strategy="bidirectional")


@pytest.mark.parametrize("frames", [2, 180, 182, 5400])
def test_spans_cover_every_frame_once_and_lie_in_their_windows(frames: int) -> None:
    spans = seen_from(even_borders(frames, 180), window=min(300, frames), before=60)
    assert [each.first for each in spans[1:]] == [each.last for each in spans[:-1]]
    assert (spans[0].first, spans[-1].last) == (0, frames)
    assert all(0 <= each.begin <= each.first < each.last <= each.begin + 300 for each in spans)
    assert all(each.begin + min(300, frames) <= frames for each in spans)


def test_words_of_a_part_are_heard_in_that_part_alone() -> None:
    network = directed()
    text = torch.ones(384) / 20
    plain = GuidedDenoiser(network, nothing(400), 1.0)
    parts = GuidedDenoiser(network, Conditions(torch.zeros(400, 45), None, None, (Words(200, 400, None, text),)), 1.0)
    assert parts.prompt.shape == (1, 200, 32)
    assert torch.allclose(parts.prompt[0, :90], plain.prompt.expand(90, -1), atol=1e-6)
    other = network.encode_prompt(torch.zeros(1, 384), text[None], torch.tensor([False]), torch.tensor([True]))
    assert torch.allclose(parts.prompt[0, 110:], other.expand(90, -1), atol=1e-5)
