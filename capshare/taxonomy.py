"""Classes of capacity and attributes: the numbers that contracts hold, the names that people write.

A class is one `uint32`:

```
 31  28 27   24 23            12 11      8 7         4 3    0
┌──────┬───────┬────────────────┬──────────┬───────────┬──────┐
│ kind │ stage │ process        │ material │ precision │ band │
└──────┴───────┴────────────────┴──────────┴───────────┴──────┘
```

Bit 31 set means soft (work, knowledge), clear means hard (machines, rooms). Process is DIN 8580 as
three BCD digits, 1F0 to 1FF additive (ISO/ASTM 52900), 000 none. A field's 0 is a value of its own,
no wildcard: one code is one market.

Its name is `head/stage[/material][/precision][/band]`, such as `mill/production/aluminium`. The
head is a process (of a machine), a kind, or `kind:process`. What has no word keeps its hexadecimal
form, which is a name too, so every `uint32` has a name and every name leads back.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cache

from capshare.data import table
from capshare.errors import UsageError


class Kind(IntEnum):
    """What is offered."""

    MACHINE = 0x0
    LINE = 0x1
    TOOL = 0x2
    LAB = 0x3
    WAREHOUSE = 0x4
    ENERGY = 0x5
    DESIGN = 0x8
    SOFTWARE = 0x9
    KNOW_HOW = 0xA
    INSPECTION = 0xB
    MAINTENANCE = 0xC
    CHANNEL = 0xD
    LABOUR = 0xE
    FINANCE = 0xF


class Stage(IntEnum):
    """Where in the life cycle it is used."""

    ANY = 0x0
    DESIGN = 0x1
    PROTOTYPE = 0x2
    PLANNING = 0x3
    PROCUREMENT = 0x4
    PRODUCTION = 0x5
    ASSEMBLY = 0x6
    INSPECTION = 0x7
    LOGISTICS = 0x8
    MAINTENANCE = 0x9
    RECYCLING = 0xA


class Material(IntEnum):
    """What it works on; 1 to 6 are the ISO 513 groups P M K N S H."""

    ANY = 0x0
    STEEL = 0x1
    STAINLESS = 0x2
    CAST_IRON = 0x3
    ALUMINIUM = 0x4  # and all other non-ferrous metals
    SUPERALLOY = 0x5  # and titanium
    HARDENED = 0x6
    POLYMER = 0x7
    COMPOSITE = 0x8
    TEXTILE = 0x9
    CERAMIC = 0xA
    WOOD = 0xB
    ELECTRONICS = 0xC


class Precision(IntEnum):
    """ISO 286 tolerance grades, coarser to finer."""

    ANY = 0
    IT14 = 1  # and coarser
    IT12 = 2
    IT11 = 3
    IT10 = 4
    IT9 = 5
    IT8 = 6
    IT7 = 7
    IT6 = 8
    IT5 = 9  # and finer


class Family(StrEnum):
    """The policy families that statistics and subsidies speak of."""

    CAPABILITY = "manufacturing capability"
    INNOVATION = "innovation"
    SERVICE = "service"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassCode:
    """A class code by its fields. Values without a word are allowed: the council lists classes."""

    kind: int  # 4 bits
    stage: int  # 4 bits
    process: int = 0  # 12 bits, three digits: milling is 0x323
    material: int = 0  # 4 bits
    precision: int = 0  # 4 bits
    band: int = 0  # 4 bits: size, number of axes, or version

    def __post_init__(self) -> None:
        for field, bits in _BITS.items():
            if not 0 <= getattr(self, field) < 1 << bits:
                raise UsageError(f"{field} {getattr(self, field)} does not fit in {bits} bits")

    @property
    def soft(self) -> bool:
        """Say whether it is work or knowledge, not a machine or a room."""
        return self.kind >= 0x8

    @property
    def family(self) -> Family:
        """Return the policy family of its kind."""
        if self.kind in (Kind.MACHINE, Kind.LINE, Kind.TOOL, Kind.ENERGY):
            return Family.CAPABILITY
        if self.kind in (Kind.LAB, Kind.DESIGN, Kind.SOFTWARE, Kind.KNOW_HOW):
            return Family.INNOVATION
        return Family.SERVICE

    def pack(self) -> int:
        """Return the `uint32`."""
        code = 0
        for field, bits in _BITS.items():
            code = code << bits | getattr(self, field)
        return code


_BITS = {"kind": 4, "stage": 4, "process": 12, "material": 4, "precision": 4, "band": 4}

_SYNONYMS = {
    "edm": "thermal-removal",
    "weld": "fusion-weld",
    "non-ferrous": "aluminium",
    "titanium": "superalloy",
    "r-and-d": "prototype",
}

MATRIX: Mapping[tuple[bool, Stage], str] = {
    (False, Stage.ANY): "energy/any",
    (False, Stage.DESIGN): "lab/design",
    (False, Stage.PROTOTYPE): "powder-bed-fusion/prototype/superalloy",
    (False, Stage.PLANNING): "lab:mill/planning/hardened",
    (False, Stage.PROCUREMENT): "warehouse/procurement",
    (False, Stage.PRODUCTION): "mill/production/aluminium",
    (False, Stage.ASSEMBLY): "line:assemble/assembly/electronics",
    (False, Stage.INSPECTION): "lab/inspection",
    (False, Stage.LOGISTICS): "warehouse/logistics",
    (False, Stage.MAINTENANCE): "tool/maintenance",
    (False, Stage.RECYCLING): "disassemble/recycling/electronics",
    (True, Stage.ANY): "finance/any",
    (True, Stage.DESIGN): "design/design",
    (True, Stage.PROTOTYPE): "software/prototype",
    (True, Stage.PLANNING): "know-how:turn/planning/superalloy",
    (True, Stage.PROCUREMENT): "channel/procurement",
    (True, Stage.PRODUCTION): "labour:mill/production",
    (True, Stage.ASSEMBLY): "labour:fusion-weld/assembly",
    (True, Stage.INSPECTION): "inspection/inspection",
    (True, Stage.LOGISTICS): "channel/logistics",
    (True, Stage.MAINTENANCE): "maintenance/maintenance",
    (True, Stage.RECYCLING): "know-how/recycling",
}  # one example a cell of {hard, soft} by stage


def unpack(code: int) -> ClassCode:
    """Return the fields of a `uint32`."""
    if not 0 <= code < 1 << 32:
        raise UsageError(f"class code {code} does not fit in 32 bits")
    fields, rest = {}, code
    for field, bits in reversed(_BITS.items()):
        fields[field] = rest & (1 << bits) - 1
        rest >>= bits
    return ClassCode(**fields)


def class_name(code: int) -> str:
    """Return the name of a class code; its hexadecimal form where a field has no word."""
    fields = unpack(code)
    try:
        words = [_head(fields), _word(Stage(fields.stage))]
        words += [_word(Material(fields.material))] if fields.material else []
        words += [_word(Precision(fields.precision))] if fields.precision else []
    except (ValueError, KeyError):
        return f"0x{code:08x}"
    return "/".join(words + ([f"v{fields.band}"] if fields.band else []))


def class_code(name: str) -> int:
    """Return the class code of a name or of a hexadecimal form.

    Raise `UsageError` with the words there are at that place.
    """
    text = name.strip().lower()
    if re.fullmatch(r"0x[0-9a-f]{1,8}", text):
        return int(text, 16)
    head, *rest = text.split("/")
    fields = _head_fields(head)
    if not rest:
        raise UsageError(
            f"{name!r} names no stage",
            next_step=f"Write such as {head}/production; {_words(Stage)}.",
        )
    fields["stage"] = _value(Stage, rest.pop(0))
    for field, words in (("material", Material), ("precision", Precision)):
        if rest and _synonym(rest[0]) in _values(words):
            fields[field] = _value(words, rest.pop(0))
    if rest and re.fullmatch(r"v(?:[1-9]|1[0-5])", rest[0]):
        fields["band"] = int(rest.pop(0)[1:])
    if rest:
        raise UsageError(
            f"{rest[0]!r} in {name!r} is no material, precision or band at this place",
            next_step=f"Materials: {_words(Material)}. Precisions: {_words(Precision)}. "
            "Bands: v1 to v15.",
        )
    return ClassCode(**fields).pack()


def process_name(process: int, language: str = "en") -> str:
    """Return what DIN 8580 or ISO/ASTM 52900 calls a process, in `en` or `de`.

    Raise `UsageError` if neither has it.
    """
    digits = f"{process:03x}"
    ours, standard = table("processes").get(digits, {}), table("din8580").get(digits, {})
    name: str | None = ours.get(language) or standard.get(language)
    if name is None:
        raise UsageError(f"neither DIN 8580 nor ISO/ASTM 52900 has a process {digits}")
    return name


def attribute_words(mask: int, names: Mapping[int, str] | None = None) -> tuple[str, ...]:
    """List the words of a mask's bits, lowest first: `iso-9001`, or `bit-40` without a name.

    `names` are those of a deployment by bit; without them, the ones that ship.
    """
    if not 0 <= mask < 1 << 64:
        raise UsageError(f"attribute mask {mask} does not fit in 64 bits")
    words = _attribute_slugs(names)
    return tuple(words.get(bit, f"bit-{bit}") for bit in range(64) if mask >> bit & 1)


def attribute_mask(words: Iterable[str], names: Mapping[int, str] | None = None) -> int:
    """Return the mask of attribute words or names; a beginning that fits only one will do.

    Raise `UsageError` with the words there are.
    """
    slugs = _attribute_slugs(names)
    mask = 0
    for word in words:
        bits = _attribute_bits(word, slugs)
        if len(bits) != 1:
            known = ", ".join(slugs[bit] for bit in bits or slugs)
            raise UsageError(
                f"{word!r} is {'several attributes' if bits else 'no attribute'}",
                next_step=f"Use one of {known}.",
            )
        mask |= 1 << bits[0]
    return mask


def _attribute_bits(word: str, slugs: Mapping[int, str]) -> list[int]:
    if match := re.fullmatch(r"bit-([0-9]|[1-5][0-9]|6[0-3])", word.strip()):
        return [int(match[1])]
    slug = _slug(word)
    exact = [bit for bit, known in slugs.items() if known == slug]
    return exact or [bit for bit, known in slugs.items() if slug and known.startswith(slug)]


def _attribute_slugs(names: Mapping[int, str] | None) -> Mapping[int, str]:
    if names is None:
        names = {int(bit): name for bit, name in table("attributes").items()}
    return {bit: _slug(name) for bit, name in names.items()}


def _slug(name: str) -> str:
    """Keep a name's letters, digits and points, lower case, the rest as single hyphens."""
    return re.sub(r"[^\w.]+", "-", unicodedata.normalize("NFC", name).lower()).strip("-")


def _head(fields: ClassCode) -> str:
    kind = _word(Kind(fields.kind))
    if not fields.process:
        return kind
    process = _process_word(f"{fields.process:03x}")
    return process if fields.kind == Kind.MACHINE else f"{kind}:{process}"


def _process_word(digits: str) -> str:
    word: str | None = table("processes").get(digits, {}).get("word")
    if word is None and digits not in table("din8580"):
        raise KeyError(digits)
    return word or f"din-{digits}"


def _head_fields(head: str) -> dict[str, int]:
    kind, colon, process = head.partition(":")
    if colon:
        return {"kind": _value(Kind, kind), "process": _process(process)}
    if kind in _values(Kind):
        return {"kind": _value(Kind, kind)}
    return {"kind": Kind.MACHINE, "process": _process(kind)}


def _process(text: str) -> int:
    word = _synonym(text)
    for digits, row in table("processes").items():
        if row.get("word") == word:
            return int(digits, 16)
    digits = word.removeprefix("din-")
    if digits != word and digits != "000" and digits in table("din8580"):
        return int(digits, 16)
    words = ", ".join(row["word"] for row in table("processes").values() if "word" in row)
    raise UsageError(
        f"{text!r} is no kind or process",
        next_step=f"Kinds: {_words(Kind)}. Processes: {words}, or din- and the three digits.",
    )


def _word(member: IntEnum) -> str:
    return member.name.lower().replace("_", "-")


def _words(members: type[IntEnum]) -> str:
    return ", ".join(_values(members))


@cache
def _values(members: type[IntEnum]) -> Mapping[str, int]:
    return {_word(member): member.value for member in members}


def _value(members: type[IntEnum], text: str) -> int:
    value = _values(members).get(_synonym(text))
    if value is None:
        raise UsageError(
            f"{text!r} is no {members.__name__.lower()}", next_step=f"Use one of {_words(members)}."
        )
    return value


def _synonym(text: str) -> str:
    return _SYNONYMS.get(text, text)
