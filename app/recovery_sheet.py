"""The sheet that `init --sheet` writes for the printer: the recovery secret, where to keep it, what to do with it.

Before: ``birth`` has made the secret, which stands nowhere else. After: a person prints the file and deletes it; the
node keeps nothing of it. Rendered without a request: nobody's session or language takes part.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

from app.birth import Born
from app.errors import CommandFailed
from sync import signing

JAPAN = timezone(timedelta(hours=9))
_STYLE = Path(__file__).parent / "static" / "css" / "recovery_sheet.css"


def refuse_existing(path: Path) -> None:
    """Raise CommandFailed where the sheet could not be written, before anything is made."""
    if path.exists() or path.is_symlink():
        raise CommandFailed("sheet_exists", f"there is a file already at {path}", "Name a new one.")
    if not path.parent.is_dir():
        raise CommandFailed("no_folder", f"there is no folder {path.parent}", "Make it first.")


def write(path: Path, born: Born, root_public: bytes, now_ms: int) -> None:
    """For its owner's eyes only, and never over a file that is there."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(handle, "w", encoding="utf-8") as file:
        file.write(render(born, root_public, now_ms))


def render(born: Born, root_public: bytes, now_ms: int) -> str:
    import segno
    from jinja2 import Environment, PackageLoader
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("app"), autoescape=True, extensions=["jinja2.ext.i18n"], trim_blocks=True
    )
    environment.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    secret = born.recovery_secret or ""
    fingerprint = signing.root_fingerprint(root_public).hex()
    return environment.get_template("recovery/sheet.html").render(
        born=born,
        file_name=Path(born.recovery_file or "").name,
        fingerprint=[fingerprint[at : at + 4] for at in range(0, len(fingerprint), 4)],
        made_at=datetime.fromtimestamp(now_ms / 1000, JAPAN).strftime("%Y-%m-%d %H:%M"),
        # A file of ours, and a drawing that holds numbers only: no text of anybody becomes markup here.
        style=Markup("<style>{}</style>").format(Markup(_STYLE.read_text("utf-8"))),  # nosec B704
        drawing=Markup(segno.make(secret, error="m", micro=False).svg_inline(scale=4, omitsize=True)),  # nosec B704
    )
