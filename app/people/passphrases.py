"""The verifier of a person's passphrase on this node, and which passphrases are too plain to be one."""

from __future__ import annotations

import unicodedata
from typing import Any

from app import verifier
from app.errors import Invalid
from app.people.local import Keep, Local, insert

# What everybody tries first. Not a long list: what is behind the door is ten tries, then a minute.
_PLAIN = """
password passw0rd passphrase p@ssword p@ssw0rd tomoshibi welcome letmein iloveyou sunshine princess football baseball
qwerty qwertyuiop asdfgh asdfghjkl zxcvbnm 1q2w3e4r 1qaz2wsx abc abcd abcdef admin administrator test bousai saigai
hinan hinanjo toda konnichiwa sakura あいうえお かきくけこ さしすせそ いろはにほへと パスワード ぱすわーど 合言葉 防災
災害対策本部 避難所 管理者 ともしび 灯
"""
_ROWS = (
    "01234567890123456789", "98765432109876543210", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm",
    "あいうえおかきくけこさしすせそたちつてとなにぬねの", "いろはにほへとちりぬるを",
)  # fmt: skip


class Passphrases:
    def __init__(self, local: Local) -> None:
        self._local = local

    def keeper(self, user_id: str, name: str, passphrase: str, now: int) -> Keep:
        """What writes the verifier. Raises Invalid for a passphrase that is short, long or plain."""
        refuse_plain(passphrase, name, self._local.node.name)
        made = verifier.make(passphrase)
        return insert("credentials", replace=True, user_id=user_id, kind="passphrase", verifier=made, made_at=now)

    def of(self, user_id: str) -> str | None:
        row = self._local.one("SELECT verifier FROM credentials WHERE user_id = ? AND kind = 'passphrase'", user_id)
        return None if row is None else row["verifier"]

    def fits(self, user_id: str | None, passphrase: str) -> bool:
        """Nobody's costs as much time as a wrong one."""
        kept = self.of(user_id) if user_id else None
        return verifier.fits(kept or verifier.NOBODY, passphrase) and kept is not None

    def known(self) -> dict[str, int]:
        """Who has a verifier here, and since when."""
        rows = self._local.every("SELECT user_id, made_at FROM credentials WHERE kind = 'passphrase'")
        return {row["user_id"]: row["made_at"] for row in rows}


def refuse_plain(passphrase: str, *near: Any) -> None:
    """Raise Invalid for what is guessed first: a known word, a row of keys, one sign again and again, the own name."""
    folded = "".join(char for char in _fold(passphrase) if char.isalnum()) or _fold(passphrase)
    words = {
        _fold(word) for word in (*_PLAIN.split(), *(part for name in near for part in (name, *str(name).split())))
    } - {""}
    bare = folded.strip("0123456789")
    plain = len(passphrase) >= verifier.CHARS_MIN and (
        len(set(folded)) <= 2
        or folded in words
        or bare in words
        or any(folded in row for row in _ROWS)
        or _is_one_word_again(folded)
    )
    if plain:
        hint = "Use a few words that nobody would guess of you."
        raise Invalid("plain_passphrase", "This passphrase is among the first that anybody tries.", hint, "passphrase")


def _is_one_word_again(text: str) -> bool:
    return text in (text + text)[1:-1]


def _fold(text: Any) -> str:
    return unicodedata.normalize("NFKC", str(text)).casefold()
