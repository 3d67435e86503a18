"""Invented firms with names as people write them in their own script, and valid register codes.

The names are of no real firm, to the best of our knowledge; the codes pass their register's check.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from capshare.identity import Identity, identity, uscc_check

TRADER: Final = 1
COUNCIL: Final = 2
VALIDATOR: Final = 4
ARBITER: Final = 8
AUDITOR: Final = 16
ATTESTOR: Final = 32

FOUNDERS: Final = (
    ("区域制造业协作委员会", "330200", "S9521", COUNCIL | VALIDATOR),
    ("Verbund Zerspanung e. V.", "DE-BW", "S9521", COUNCIL | VALIDATOR),
    ("Izba Przemysłu Śląskiego", "PL-24", "S9521", COUNCIL | VALIDATOR),
)
INSTITUTIONS: Final = (
    ("中検計測認証センター", "JP-23", "M7452", ATTESTOR),
    ("Schiedsstelle Fertigung Süd", "DE-BY", "M7231", ARBITER),
    ("Δημήτρης Αλεξίου, μηχανικός πραγματογνώμων", "GR-I", "M7231", ARBITER),
    ("تحكيم الخليج الصناعي", "AE-DU", "M7231", ARBITER),
    ("Kontrollhuset Revision AB", "SE-O", "L7241", AUDITOR),
)
PROVIDERS: Final = (
    ("Werkzeugbau Grünwald & Söhne GmbH", "DE-BW", "C3425"),
    ("宁波海锋精密机械有限公司", "330200", "C3421"),
    ("株式会社山本精機製作所", "JP-23", "C3421"),
    ("한빛정밀공업 주식회사", "KR-48", "C3421"),
    ("Obróbka Ślązak Sp. z o.o.", "PL-24", "C3421"),
    ("Strojírna Žďár nad Labem s.r.o.", "CZ-63", "C3429"),
    ("Μηχανουργική Θεσσαλίας Α.Ε.", "GR-E", "C3421"),
    ("ТОВ «Дніпроточмаш»", "UA-12", "C3421"),
    ("Özgür Talaşlı İmalat A.Ş.", "TR-16", "C3421"),
    ("शक्ति प्रिसिजन वर्क्स प्रा. लि.", "IN-MH", "C3421"),
    ("ชลบุรีกลการแม่นยำ จำกัด", "TH-20", "C3421"),
    ("苏州金鼎数控设备有限公司", "320500", "C3422"),
)
CONSUMERS: Final = (
    ("杭州远航泵业股份有限公司", "330100", "C3441"),
    ("Pompes Lémanique SA", "CH-VD", "C3441"),
    ("Ålesund Marinteknikk AS", "NO-15", "C3734"),
    ("重庆两江齿轮有限公司", "500100", "C3453"),
    ("Győri Hajtómű Kft.", "HU-GS", "C3453"),
    ("სს კავკასიის ტურბინა", "GE-TB", "C3412"),
    ("Հայկական Ավտոմատիկա ՓԲԸ", "AM-ER", "C4011"),
    ("شركة دلتا للصمامات", "EG-C", "C3443"),
    ("מכשור רפואי כרמל בע״מ", "IL-HA", "C3581"),
    ("Công ty TNHH Cơ khí Hồng Hà", "VN-HN", "C3311"),
    ("தமிழ் இயந்திர உதிரிகள்", "IN-TN", "C3670"),
    ("ООД „Дунав Хидравлик“", "BG-18", "C3444"),
    ("Mecânica São Brás Ltda.", "BR-SP", "C3484"),
    ("Ingeniería Ñandú S.A.", "AR-B", "C3484"),
    ("Šiaulių Optika UAB", "LT-SA", "C4040"),
    ("Rīgas Mērierīces SIA", "LV-RIX", "C4012"),
    ("武汉光谷激光器件有限公司", "420100", "C3976"),
    ("Þór Vélsmiðja ehf.", "IS-1", "C3419"),
    ("Țesătura Mecanică S.R.L.", "RO-CJ", "C3551"),
    ("İzmir Rüzgâr Enerji A.Ş.", "TR-35", "C3415"),
    ("দিশা ইঞ্জিনিয়ারিং লিমিটেড", "BD-13", "C3484"),
    ("東雲ロボティクス株式会社", "JP-13", "C3491"),
    ("대양로봇 주식회사", "KR-26", "C3491"),
    ("Çukurova Traktör Parçaları Ltd. Şti.", "TR-01", "C3571"),
    ("Łódzka Fabryka Łożysk S.A.", "PL-10", "C3451"),
    ("ໂຮງງານກົນຈັກວຽງຈັນ", "LA-VT", "C3311"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Firm:
    """A legal entity that becomes a member. `key` is its name in the book, or C1, I1 …"""

    key: str
    name: str
    identity: Identity
    region: str  # ISO 3166-2, or a Chinese division code
    industry: str  # GB/T 4754
    roles: int


def founders(chance: random.Random) -> tuple[Firm, ...]:
    """Return the council's firms."""
    return tuple(_firm(f"C{number}", *entry, chance) for number, entry in enumerate(FOUNDERS, 1))


def institutions(chance: random.Random) -> tuple[Firm, ...]:
    """Return the attestor, the arbiters and the auditor."""
    return tuple(
        _firm(f"I{number}", *entry, chance) for number, entry in enumerate(INSTITUTIONS, 1)
    )


def traders(
    providers: tuple[str, ...], consumers: tuple[str, ...], chance: random.Random
) -> Iterator[Firm]:
    """Give each firm of the book a name, a place and a register code."""
    for keys, names in ((providers, PROVIDERS), (consumers, CONSUMERS)):
        for key, entry in zip(keys, chance.sample(names, len(keys)), strict=True):
            yield _firm(key, *entry, TRADER, chance)


def uscc(division: str, chance: random.Random) -> Identity:
    """Return a valid unified social credit code of an enterprise in a division (GB 32100)."""
    subject = "MA" + "".join(chance.choice("0123456789ABCDEFGHJKLMNPQRTUWXY") for _ in range(6))
    body = "91" + division + subject + _organisation_check(subject)
    return identity(f"uscc:{body}{uscc_check(body)}")


def lei(chance: random.Random) -> Identity:
    """Return a valid legal entity identifier (ISO 17442)."""
    body = (
        "9999" + "00" + "".join(chance.choice("0123456789ABCDEFGHJKLMNPQRTUWXY") for _ in "x" * 12)
    )
    digits = int("".join(str(int(character, 36)) for character in body + "00"))
    return identity(f"lei:{body}{98 - digits % 97:02d}")


def _firm(
    key: str, name: str, region: str, industry: str, roles: int, chance: random.Random
) -> Firm:
    code = uscc(region, chance) if region.isdigit() else lei(chance)
    return Firm(key=key, name=name, identity=code, region=region, industry=industry, roles=roles)


def _organisation_check(subject: str) -> str:
    """Return the ninth character of an organisation code (GB 11714)."""
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(w * int(c, 36) for w, c in zip(weights, subject, strict=True))
    return "0123456789X0"[11 - total % 11]
