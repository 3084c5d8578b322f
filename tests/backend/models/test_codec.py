"""The hierarchical codec: shapes, residual codebooks, linear filters, and how far a code is felt."""

import pytest
import torch

from backend.models.codec import GROUP_FRAMES, REACH_FRAMES, Codebooks, CodecConfig, Codes, DanceCodec

SMALL = CodecConfig(channels=9, width=16, fine_width=8, code_width=8, movement_codes=16, pose_codes=32)


def _codec() -> DanceCodec:
    torch.manual_seed(0)
    codec = DanceCodec(SMALL).eval()
    for books in (codec.movement, codec.pose):
        books.vectors.normal_()
    for parameter in codec.parameters():  # last layers start at zero
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)
    return codec.requires_grad_(False)


def test_eight_frames_are_two_movement_codes_and_four_pose_codes() -> None:
    codec = _codec()
    codes = codec.encode(torch.randn(2, 48, 9))
    assert codes.movement.shape == (2, 12, SMALL.movement_rows)
    assert codes.pose.shape == (2, 24, SMALL.pose_rows)
    assert int(codes.movement.max()) < 16
    assert int(codes.pose.max()) < 32
    assert codec.decode(codes).shape == (2, 48, 9)


def test_each_residual_row_brings_the_vector_nearer() -> None:
    torch.manual_seed(1)
    books = Codebooks(4, 64, 6)
    for row, book in enumerate(books.vectors):
        book.copy_(torch.randn_like(book) * 0.5**row)
        book[0] = 0.0  # a row need not help
    latent = torch.randn(200, 6)
    codes = books.nearest(latent)
    left = latent.clone()
    errors = []
    for row, book in enumerate(books.vectors):
        left = left - book[codes[:, row]]
        errors.append(float(left.square().mean()))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.5 * float(latent.square().mean())
    assert torch.allclose(books.lookup(codes), latent - left, atol=1e-5)
    assert torch.equal(books.quantise(latent), books.lookup(codes))


def test_filters_that_start_as_components_give_back_slow_motion_before_any_training() -> None:
    torch.manual_seed(2)
    codec = DanceCodec(CodecConfig(channels=2, width=8, fine_width=8, code_width=8))
    time = torch.arange(240) / 30.0
    clean = torch.stack([torch.sin(0.5 * time), torch.cos(0.3 * time)], dim=-1)[None]
    smoothing = torch.softmax(-0.5 * (torch.arange(-REACH_FRAMES, REACH_FRAMES + 1) / 4.0).square(), dim=0)
    rows = clean.unflatten(1, (-1, GROUP_FRAMES)).flatten(2)[0]
    slow = torch.linalg.eigh(rows.T @ rows)[1][:, -8:]
    codec.start_from(slow, torch.zeros(8, 8), smoothing, torch.tensor([1.0, 2.0]))
    _, pose = codec.latents(clean)
    movement = torch.zeros(1, 60, 8)
    rebuilt = codec.joined(movement, codec.movement_told(movement), pose)
    assert (rebuilt - clean)[:, 24:-24].abs().max() < 0.05


def test_a_code_is_felt_for_less_than_a_second() -> None:
    codec = _codec()
    codes = codec.encode(torch.randn(1, 160, 9))
    other = Codes(codes.movement.clone(), codes.pose.clone())
    other.movement[0, 20] = (other.movement[0, 20] + 1) % 16
    other.pose[0, 40:44] = (other.pose[0, 40:44] + 1) % 32
    felt = (codec.decode(codes) - codec.decode(other)).abs().amax(-1)[0].nonzero().flatten()
    assert len(felt) > 0
    assert int(felt.min()) > 80 - 30
    assert int(felt.max()) < 88 + 30


def test_a_length_that_is_no_whole_group_is_refused() -> None:
    with pytest.raises(RuntimeError):
        _codec().encode(torch.randn(1, 50, 9))
