"""Personal data in texts: found by their form and masked, so that no model learns to repeat them.

Addresses of mail, of machines and on the web that carry a secret, telephone numbers, numbers of cards, accounts and
persons, and long ids. Check digits are computed where a kind has them, so that a price or a year is no card. Names of
people have no form, and are not found.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

_EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w-])|"
    r"(?<![\w.+-])[\w.+-]{1,64}\s?[\[(]\s?at\s?[\])]\s?(?:[\w-]{1,63}(?:\.|\s?[\[(]\s?dot\s?[\])]\s?)){1,4}[^\W\d_]{2,24}\b",
    re.IGNORECASE,
)
_SECRET_URL = re.compile(r"\b(?:https?|ftp)://[^\s<>\"']{0,500}[?&#](?:[^\s<>\"'=]{1,100}=)[^\s<>\"']{1,1000}")
_USER_URL = re.compile(r"\b(?:https?|ftp)://[^\s/@:]{1,100}:[^\s/@]{1,100}@[^\s<>\"']{1,1000}")
_UUID = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE)
_HEX = re.compile(r"\b(?=[0-9a-f]{0,63}[0-9])(?=[0-9a-f]{0,63}[a-f])[0-9a-f]{16,128}\b", re.IGNORECASE)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,3})?\b")
_CARD = re.compile(r"(?<![\d.,-])\d(?:[ -]?\d){12,18}(?![\d-])")
_SSN = re.compile(r"(?<![\d-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])")
_IP = re.compile(r"(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d.])")
_IP6 = re.compile(r"(?<![\w:])(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(?![\w:])", re.IGNORECASE)
_PHONE = re.compile(
    r"(?<![\w+.,-])(?:"
    r"\+\d{1,3}(?:[ ./-]?\(?\d{1,5}\)?){2,6}"  # with the code of a country
    r"|\(\d{2,5}\)[ ./-]?\d{2,5}(?:[ ./-]?\d{2,5}){1,3}"  # with the area in brackets
    r"|0\d{1,4}[ ./-]\d{2,5}(?:[ ./-]?\d{2,5}){0,3}"  # with the zero before an area
    r"|00\d{9,14}|0\d{9,11}"
    r"|(?:1[ .-])?\d{3}[ .-]\d{3}[ .-]\d{4}"  # North America
    r")(?![\w-])"
)
_LONG_ID = re.compile(r"(?<![\d.,])\d{9,30}(?![\d,]|\.\d)")
_LABELLED = re.compile(
    r"\b((?:user|customer|client|account|member|order|ticket|patient|passport|invoice|employee|booking)"
    r"(?:[ _-]?(?:id|no|nr|number|ref))?\.?[ ]{0,2}[:#=]{1,2}[ ]{0,2}|"
    r"\b(?:user|customer|client|account|member|patient|passport|employee)[ _-]?(?:id|no|nr|number)\.?[ ]{1,2})"
    r"(?=[\w-]{0,30}\d)[\w-]{3,40}",
    re.IGNORECASE,
)
_DATE = re.compile(r"\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{2,4}")
_HINT = re.compile(r"\d[^\d]{0,6}\d|@|\bat\b", re.IGNORECASE)
"""Nothing above matches a text without this."""
_FEWEST_DIGITS, _MOST_DIGITS = 7, 15
"""Of a telephone number (E.164 allows 15)."""


def mask(text: str) -> tuple[str, Counter[str]]:
    """The text with [email], [phone] and so on in the place of personal data, and how many of each kind."""
    counts: Counter[str] = Counter()
    if not _HINT.search(text):
        return text, counts
    for kind, pattern, fits in _KINDS:

        def replaced(found: re.Match[str], kind: str = kind, fits: Callable[[str], bool] = fits) -> str:
            if not fits(found[0]):
                return found[0]
            counts[kind] += 1
            label = found[1] if found.re is _LABELLED else ""
            return f"{label}[{kind}]"

        text = pattern.sub(replaced, text)
    return text, counts


def mask_all(texts: Sequence[str]) -> tuple[list[str], Mapping[str, int]]:
    """`mask` of many, with the counts added up."""
    total: Counter[str] = Counter()
    masked = []
    for text in texts:
        clean, counts = mask(text)
        masked.append(clean)
        if counts:
            total.update(counts)
    return masked, dict(total)


def _always(_: str) -> bool:
    return True


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())


def _luhn(text: str) -> bool:
    """Whether the last digit checks the others, as on every payment card (ISO/IEC 7812-1)."""
    digits = [int(digit) for digit in reversed(_digits(text))]
    doubled = [digit if i % 2 == 0 else 2 * digit - 9 * (digit > 4) for i, digit in enumerate(digits)]
    return sum(doubled) % 10 == 0 and len(set(digits)) > 1


def _iban(text: str) -> bool:
    """Whether the rest by 97 is 1 (ISO 13616)."""
    plain = text.replace(" ", "")
    return 15 <= len(plain) <= 34 and int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1


def _phone(text: str) -> bool:
    return _FEWEST_DIGITS <= len(_digits(text)) <= _MOST_DIGITS and not _DATE.fullmatch(text.strip())


_KINDS: tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...] = (
    ("link", _USER_URL, _always),
    ("email", _EMAIL, _always),
    ("link", _SECRET_URL, _always),
    ("id", _UUID, _always),
    ("account", _IBAN, _iban),
    ("card", _CARD, _luhn),
    ("id", _LABELLED, _always),
    ("address", _IP6, _always),
    ("address", _IP, _always),
    ("id", _SSN, _always),
    ("phone", _PHONE, _phone),
    ("id", _HEX, _always),
    ("id", _LONG_ID, _always),
)
"""In this order: a card's number could be read as a telephone's."""
