"""Names of people: how they are compared, so that nobody takes the name of somebody else by a twin sign."""

from __future__ import annotations

import unicodedata

# Signs that look alike on a tablet. NFKC joins wide and half-width forms; these it leaves apart.
_ALIKE = str.maketrans("力口二八夕工卜一―‐‑–−髙﨑德濵", "カロニハタエトーーーーーー高崎徳濱")


def clean(name: str) -> str:
    # Half a surrogate pair comes in from JSON, and no database takes it.
    return unicodedata.normalize("NFC", name).strip().encode("utf-8", "replace").decode()


def likeness(name: str) -> str:
    """Equal for names that people would take for one: width, case, spaces and signs of the same look do not count."""
    folded = unicodedata.normalize("NFKC", clean(name)).casefold().translate(_ALIKE)
    return "".join(char for char in folded if not char.isspace() and unicodedata.category(char) not in ("Cf", "Mn"))
