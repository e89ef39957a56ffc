"""The decoder sees nothing that comes later, decodes with its cache what it scores without it, and is read as written."""

from pathlib import Path

import pytest
import torch

from leucippus.errors import InputError
from leucippus.training.axiomatic.decoder import Decoder, DecoderConfig, _beside
from leucippus.training.axiomatic.presets import POSITIONS

VOCABULARY, LENGTH = 20, 24
NO_STOP = VOCABULARY  # no token has this number


def decoder(**given: object) -> Decoder:
    """A decoder of random weights, large enough that every choice matters."""
    torch.manual_seed(0)
    sizes = {"vocab_size": VOCABULARY, "width": 32, "layers": 2, "heads": 4} | given
    model: Decoder = Decoder(DecoderConfig(**sizes))  # type: ignore[arg-type]
    with torch.no_grad():
        for weights in model.parameters():
            weights.add_(0.1 * torch.randn_like(weights))
    model.train(False)
    return model


def tokens(rows: int = 3, length: int = LENGTH) -> torch.Tensor:
    return torch.randint(1, VOCABULARY, (rows, length), generator=torch.Generator().manual_seed(1))


def greedy(model: Decoder, prompt: list[int], longest: int) -> list[int]:
    """As `write`, but every token scored from the start, without a cache and without padding."""
    row = list(prompt)
    for _ in range(longest):
        given = torch.arange(len(row))[None] < len(prompt)
        with torch.no_grad():
            row.append(int(model(torch.tensor([row]), given=given).logits[0, -1].argmax()))
    return row[len(prompt) :]


CHOICES = [
    {
        "positions": positions,
        "convolution": convolution,
        "look_ahead": ahead,
        "scaled_attention": scaled,
        "loops": loops,
    }
    for positions in POSITIONS
    for convolution, ahead, scaled, loops in ((4, 4, True, 1), (0, 0, False, 1), (2, 3, True, 2), (0, 2, True, 1))
]
every_choice = pytest.mark.parametrize("choice", CHOICES, ids=lambda one: " ".join(map(str, one.values())))


@every_choice
def test_a_later_token_never_changes_an_earlier_score(choice: dict[str, object]) -> None:
    model, ids = decoder(**choice), tokens()
    with torch.no_grad():
        before = model(ids).logits
        for at in (1, LENGTH // 2, LENGTH - 1):
            changed = ids.clone()
            changed[:, at] = ids[:, at] % (VOCABULARY - 1) + 1
            after = model(changed).logits
            torch.testing.assert_close(after[:, :at], before[:, :at])
            assert not torch.allclose(after[:, at], before[:, at], atol=1e-3)


@every_choice
def test_what_is_written_never_changes_an_earlier_score_and_what_is_asked_may(choice: dict[str, object]) -> None:
    model, ids, asked = decoder(**choice), tokens(), 9
    given = torch.arange(LENGTH)[None].expand(len(ids), -1) < asked
    with torch.no_grad():
        before = model(ids, given=given).logits
        for at in (asked, LENGTH - 1):
            changed = ids.clone()
            changed[:, at] = ids[:, at] % (VOCABULARY - 1) + 1
            torch.testing.assert_close(model(changed, given=given).logits[:, :at], before[:, :at])
        changed = ids.clone()
        changed[:, 4] = ids[:, 4] % (VOCABULARY - 1) + 1
        seen_before = not torch.allclose(model(changed, given=given).logits[:, 3], before[:, 3], atol=1e-3)
        assert seen_before == (choice["look_ahead"] != 0)


@every_choice
def test_decoding_with_the_cache_writes_what_scoring_without_it_says(choice: dict[str, object]) -> None:
    model = decoder(**choice)
    prompt = tokens(1, 9)[0].tolist()
    assert model.write([prompt], [NO_STOP], 12) == [greedy(model, prompt, 12)]


@every_choice
def test_padding_on_the_left_does_not_change_what_is_written(choice: dict[str, object]) -> None:
    model = decoder(**choice)
    prompts = [tokens(1, length)[0].tolist()[-length:] for length in (1, 5, 17)]
    assert model.write(prompts, [NO_STOP], 8) == [greedy(model, prompt, 8) for prompt in prompts]


def test_a_row_ends_with_its_stop_and_the_others_go_on() -> None:
    model = decoder()
    prompts = [row.tolist() for row in tokens(8, 6)]
    free = model.write(prompts, [NO_STOP], 10)
    stops = [free[0][2], free[1][5]]
    for row, whole in zip(model.write(prompts, stops, 10), free, strict=True):
        ends = [at for at, token in enumerate(whole) if token in stops]
        assert row == whole[: ends[0] + 1 if ends else None]


def test_learned_positions_end_and_the_others_do_not() -> None:
    short = decoder(positions="learned", longest=8)
    assert short(tokens(1, 8)).logits.shape == (1, 8, VOCABULARY)
    with pytest.raises(InputError, match="9 tokens is too long") as caught:
        short(tokens(1, 9))
    assert "at most 8" in caught.value.expected
    with pytest.raises(InputError, match="too long"):
        short.write([tokens(1, 6)[0].tolist()], [NO_STOP], 5)
    for positions in ("none", "sinusoidal", "rotary", "linear"):
        assert decoder(positions=positions, longest=8)(tokens(1, 30)).logits.isfinite().all()


def test_unknown_positions_are_refused() -> None:
    with pytest.raises(ValueError, match="'absolute', expected one of none"):
        DecoderConfig(positions="absolute")


@every_choice
def test_what_is_saved_is_what_is_loaded(choice: dict[str, object], tmp_path: Path) -> None:
    model, ids = decoder(**choice), tokens()
    model.save_pretrained(tmp_path)
    loaded = Decoder.from_pretrained(tmp_path)
    assert {name: getattr(loaded.config, name) for name in choice} == choice
    assert torch.equal(loaded(ids).logits, model(ids).logits)


def test_loops_run_the_same_weights_again() -> None:
    once, twice, deeper = decoder(), decoder(loops=2), decoder(layers=4)
    count = [sum(weights.numel() for weights in model.parameters()) for model in (once, twice, deeper)]
    assert count[0] == count[1] < count[2]
    ids = tokens()
    assert not torch.allclose(once(ids).logits, twice(ids).logits, atol=1e-3)
    with torch.no_grad():
        for at in range(4):
            deeper.blocks[at].load_state_dict(twice.blocks[at % 2].state_dict())
        for part in ("embed", "norm", "score"):
            getattr(deeper, part).load_state_dict(getattr(twice, part).state_dict())
    torch.testing.assert_close(deeper(ids).logits, twice(ids).logits)


def test_the_prompt_of_a_lesson_is_all_before_its_first_label() -> None:
    model, ids = decoder(), tokens()
    labels = torch.where(torch.arange(LENGTH) < 9, -100, ids)
    given = torch.arange(LENGTH)[None].expand(len(ids), -1) < 9
    with torch.no_grad():
        learned = model(ids, labels=labels).logits.view(len(ids), LENGTH - 9, VOCABULARY)
        torch.testing.assert_close(learned, model(ids, given=given).logits[:, 8:-1])


def test_without_positions_only_convolution_tells_order_among_what_is_before_the_last_token() -> None:
    ids = tokens(1, 6)
    turned = ids[:, [1, 0, 2, 3, 4, 5]]
    for model, alike in ((decoder(convolution=0, layers=1), True), (decoder(convolution=4, layers=1), False)):
        last, other = model(ids).logits[:, -1], model(turned).logits[:, -1]
        assert torch.allclose(last, other, atol=1e-5) == alike


@pytest.mark.parametrize("shifts", [(3, 2, 1, 0), (-1, -2), (5, -7, 0)], ids=["before", "after", "beyond either end"])
def test_what_stands_beside_a_token_is_added_up_with_its_slopes(shifts: tuple[int, ...]) -> None:
    length = 4
    numbers = torch.Generator().manual_seed(0)
    tokens_, weights = (
        torch.randn(shape, generator=numbers, dtype=torch.float64, requires_grad=True)
        for shape in ((2, length, 3), (len(shifts), 3))
    )
    total = _beside(tokens_, weights, shifts)
    for place in range(length):
        others = [(at, place - shift) for at, shift in enumerate(shifts) if 0 <= place - shift < length]
        expected = sum(
            (tokens_[:, other] * weights[at] for at, other in others), torch.zeros(2, 3, dtype=torch.float64)
        )
        assert torch.allclose(total[:, place], expected)
    assert torch.autograd.gradcheck(lambda a, b: _beside(a, b, shifts), (tokens_, weights))
