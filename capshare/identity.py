"""Who and what exists once: firms by their registered code, assets by maker and serial number.

Only hashes go on chain, where each may occur once. The same thing written in two ways must
therefore give one hash: texts are normalised before hashing, and characters that hide or reorder
text are refused.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from capshare.errors import UsageError


class Scheme(StrEnum):
    """The register that a firm's code comes from."""

    USCC = "uscc"  # unified social credit code, GB 32100
    LEI = "lei"  # legal entity identifier, ISO 17442
    DUNS = "duns"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A firm's registered code, normalised. Make it with `identity`."""

    scheme: Scheme
    code: str
    warning: str = ""  # why the code looks wrong, where that is no proof

    def __str__(self) -> str:
        return f"{self.scheme}:{self.code}"

    def hash(self) -> bytes:
        """Return keccak256 of `scheme:code` in UTF-8, unique on chain."""
        return _keccak(str(self))


_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # without I, O, S, V, Z
_JOINERS = "\u200c\u200d"  # zero-width, but Persian and Indic names need them


def identity(text: str) -> Identity:
    """Read `uscc:91350100M000100Y43`, `lei:5493001KJTIIGC8Y1R12`, `duns:150483782`, `other:…`.

    Raise `UsageError` for an unknown scheme, a USCC of another length and a wrong LEI. A USCC that
    fails its check carries a warning and passes: some were issued that way.
    """
    prefix, _colon, code = text.partition(":")
    try:
        scheme = Scheme(prefix.strip().lower())
    except ValueError as error:
        raise UsageError(
            f"{text!r} names no register",
            next_step=f"Write scheme:code; schemes are {', '.join(Scheme)}.",
        ) from error
    match scheme:
        case Scheme.USCC:
            return _uscc(_compact(code))
        case Scheme.LEI:
            return _lei(_compact(code))
        case Scheme.DUNS:
            return _duns(_compact(code))
        case Scheme.OTHER:
            return Identity(scheme=scheme, code=clean_name(code, "code"))


def uscc_check(code: str) -> str:
    """Return the check character that GB 32100 gives to the first 17 of a code.

    Weights are 3**place modulo 31, place from 0; with the check the sum is a multiple of 31.
    """
    total = sum(
        _USCC_ALPHABET.index(character) * pow(3, place, 31)
        for place, character in enumerate(code[:17])
    )
    return _USCC_ALPHABET[-total % 31]


def lei_is_valid(code: str) -> bool:
    """Check an LEI by ISO 7064 mod 97-10: letters count 10 to 35, the remainder must be 1."""
    if not re.fullmatch(r"[0-9A-Z]{18}[0-9]{2}", code):
        return False
    return int("".join(str(int(character, 36)) for character in code)) % 97 == 1


def machine_hash(maker: str, serial: str) -> bytes:
    """Return the identity hash of a machine, a line, a tool: who made it, which one it is."""
    return _asset_hash("machine", maker, serial)


def team_hash(firm: Identity, team: str) -> bytes:
    """Return the identity hash of a team of people: unique inside its firm."""
    return _asset_hash("team", str(firm), team)


def licence_hash(licensor: str, licence: str) -> bytes:
    """Return the identity hash of a licence, model or data set: who grants it, under which id."""
    return _asset_hash("licence", licensor, licence)


def clean_name(text: str, what: str = "name") -> str:
    """Return a name in Unicode NFC, its spaces single.

    Raise `UsageError` if it is empty or holds control, bidirectional or other invisible characters,
    which make a name look like another one.
    """
    normal = "".join(
        " " if unicodedata.category(character) == "Zs" else character
        for character in unicodedata.normalize("NFC", text)
    )
    name = re.sub(" +", " ", normal).strip(" ")
    for character in name:
        if unicodedata.category(character) in _HIDDEN and character not in _JOINERS:
            raise UsageError(
                f"the {what} {text!r} holds U+{ord(character):04X} "
                f"({unicodedata.name(character, 'a control character')})",
                next_step="Type it again without invisible characters.",
            )
    if not name.strip(_JOINERS):
        raise UsageError(f"the {what} is empty", next_step=f"Give a {what}.")
    return name


_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
# control, format (bidirectional ones among them), private use, surrogate, line, paragraph


def _uscc(code: str) -> Identity:
    if not re.fullmatch("[0-9A-Z]{18}", code):
        raise UsageError(
            f"{code!r} is no USCC: it has not 18 digits and letters",
            next_step="Compare it with the firm's business licence.",
        )
    warning = ""
    if strangers := sorted(set(code) - set(_USCC_ALPHABET)):
        warning = f"{code} holds {', '.join(strangers)}, which no USCC has"
    elif (expected := uscc_check(code)) != code[17]:
        warning = f"{code} ends in {code[17]}, its check gives {expected}"
    return Identity(scheme=Scheme.USCC, code=code, warning=warning)


def _lei(code: str) -> Identity:
    if not lei_is_valid(code):
        raise UsageError(
            f"{code!r} is no LEI: 20 digits and capital letters whose check is 1 modulo 97",
            next_step="Compare it with the firm's entry in the LEI register.",
        )
    return Identity(scheme=Scheme.LEI, code=code)


def _duns(code: str) -> Identity:
    warning = "" if re.fullmatch(r"[0-9]{9}", code) else f"{code} has not the 9 digits of a DUNS"
    return Identity(scheme=Scheme.DUNS, code=code, warning=warning)


def _compact(code: str) -> str:
    """Drop what people put between the characters of a registered code."""
    return re.sub(r"[ .-]", "", clean_name(code, "code")).upper()


def _asset_hash(kind: str, *parts: str) -> bytes:
    """Hash parts that cannot run into one another: a line feed is no character of a part."""
    return _keccak("\n".join((kind, *(_folded(part) for part in parts))))


def _folded(text: str) -> str:
    """Make case and width of letters equal, so that one machine has one spelling."""
    return clean_name(unicodedata.normalize("NFKC", clean_name(text)).casefold())


def _keccak(text: str) -> bytes:
    from eth_hash.auto import keccak  # loads its backend: not for those who only read names

    return bytes(keccak(text.encode("utf-8")))
