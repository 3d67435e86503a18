"""The texts that people read, in their language where a catalogue has it, else in English.

A catalogue is `locale/<language>/LC_MESSAGES/capshare.mo`; the language comes from LANGUAGE,
LC_ALL, LC_MESSAGES or LANG. Values go in by `str.format` after the look-up:
`_("{n} orders").format(n=3)`.
"""

import gettext
from collections.abc import Sequence
from pathlib import Path

DOMAIN = "capshare"
LOCALE = Path(__file__).parent / "locale"


def catalogue(
    languages: Sequence[str] | None = None, directory: Path = LOCALE
) -> gettext.NullTranslations:
    """Return the texts of the first language that has a catalogue, or the English ones."""
    return gettext.translation(DOMAIN, directory, languages, fallback=True)


_catalogue = catalogue()
_ = _catalogue.gettext
ngettext = _catalogue.ngettext
