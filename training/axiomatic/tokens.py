"""The small decoder's tokenizer: words of the language and signs are read whole, names sign by sign."""

import re
from typing import Any

from leucippus.training.axiomatic.surface import ALPHABET, WORDS
from leucippus.training.axiomatic.traces import Mark

PAD, UNKNOWN = "[PAD]", "[UNK]"
_SIGNS = (".", "?", "{", "}", ",")


def vocabulary() -> list[str]:
    """All tokens, in the order of their numbers."""
    return list(dict.fromkeys((PAD, UNKNOWN, *WORDS, *Mark, *_SIGNS, *ALPHABET)))


def build_tokenizer() -> Any:
    """A transformers tokenizer, which `save_pretrained` writes beside the model."""
    from tokenizers import Regex, Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Sequence, Split, WhitespaceSplit
    from transformers import PreTrainedTokenizerFast

    whole = "|".join(re.escape(word) for word in sorted(WORDS, key=len, reverse=True))
    tokenizer = Tokenizer(WordLevel({token: at for at, token in enumerate(vocabulary())}, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = Sequence([
        WhitespaceSplit(),
        Split(Regex(rf"(?<![A-Za-z0-9])(?:{whole})(?![A-Za-z0-9])|."), "isolated"),
    ])  # fmt: skip
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=PAD, unk_token=UNKNOWN)  # type: ignore[no-untyped-call]
