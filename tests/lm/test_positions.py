import torch

from hutch.lm.positions import rotary_table, rotate, shift_distances, sinusoids


def test_rotary_scores_depend_on_the_distance_alone():
    table = rotary_table(20, 8)
    q, k = torch.randn(2, 1, 1, 1, 8, generator=torch.Generator().manual_seed(1))
    turned_q = rotate(q.expand(1, 1, 20, 8), table)[0, 0]
    turned_k = rotate(k.expand(1, 1, 20, 8), table)[0, 0]
    scores = turned_q @ turned_k.T
    for distance in (0, 3, 7):
        along = torch.stack([scores[i + distance, i] for i in range(20 - distance)])
        assert torch.allclose(along, along[0].expand_as(along), atol=1e-5)


def test_rotation_keeps_lengths():
    table = rotary_table(5, 6)
    x = torch.randn(2, 3, 5, 6)
    assert torch.allclose(rotate(x, table).norm(dim=-1), x.norm(dim=-1), atol=1e-5)


def test_a_compiler_is_given_the_same_rotation(monkeypatch):
    table, x = rotary_table(5, 6), torch.randn(2, 3, 5, 6)
    by_complex_numbers = rotate(x, table)
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    assert torch.allclose(rotate(x, table), by_complex_numbers, atol=1e-6)


def test_shift_places_each_distance_at_its_key():
    t = 6
    score = torch.randn(2, 3, t, t)
    shifted = shift_distances(score)
    for q in range(t):
        for k in range(q + 1):
            assert torch.equal(shifted[:, :, q, k], score[:, :, q, t - 1 - (q - k)])


def test_sinusoids_begin_with_the_largest_distance():
    table = sinusoids(4, 6)
    assert torch.allclose(table[-1], torch.tensor([0.0, 0, 0, 1, 1, 1]))
    assert torch.isclose(table[0, 0], torch.tensor(3.0).sin())
