"""Settings of a node: flag > ``TOMOSHIBI_*`` > ``tomoshibi.toml`` in the data folder > default.

Every setting is a field of :class:`Settings`, documented in docs/operations.md. An unknown one refuses to
start: a misspelt ``passphrase_flie`` must never leave a key in clear.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from app.errors import AppError

PREFIX = "TOMOSHIBI_"
LOG_LEVELS = ("debug", "info", "warning", "error")


class BadSetting(AppError):
    code = "bad_setting"


@dataclass(frozen=True, slots=True)
class Settings:
    home: Path
    host: str = "127.0.0.1"
    port: int = 8400
    hub_url: str | None = None
    log_level: str = "info"
    passphrase_file: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    ballast_mb: int = 8
    names: str = ""  # comma between
    call_after_urgent: int = 5  # minutes without 了解 until the call list names the recipient
    call_after_normal: int = 15
    lock_minutes: int = 5  # without a touch; 0 never locks by itself
    idle_minutes: int = 30  # then the session ends; 0 never
    totp: str = "hq"
    hub_ca: Path | None = None
    smtp_host: str | None = None  # without it no call-out is mailed
    smtp_port: int = 587
    smtp_security: str = "starttls"
    smtp_user: str | None = None
    smtp_password_file: Path | None = None
    mail_from: str | None = None
    answer_url: str | None = None  # where staff reach this node's answer page from outside

    @property
    def serves_tls(self) -> bool:
        return self.tls_cert is not None or not is_loopback(self.host)


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def load(flags: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> Settings:
    """Gather the settings; ``flags`` that are None were not given. Raises BadSetting."""
    environment = os.environ if environment is None else environment
    from_environment = _from_environment(environment)
    given = {name: value for name, value in flags.items() if value is not None}
    home = Path(given.get("home") or from_environment.get("home") or default_home()).expanduser().absolute()
    merged = {**_from_file(home / "tomoshibi.toml"), **from_environment, **given, "home": home}
    return Settings(**{name: _typed(name, value) for name, value in merged.items()})


def default_home() -> Path:
    """The data folder where none is named."""
    from platformdirs import user_data_path

    return user_data_path("tomoshibi", appauthor=False)


def names() -> list[str]:
    return [field.name for field in fields(Settings)]


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    given = {key: value for key, value in environment.items() if key.startswith(PREFIX)}
    known = [PREFIX + name.upper() for name in names()]
    _refuse_unknown(given, known, "the environment")
    return {key.removeprefix(PREFIX).lower(): value for key, value in given.items() if value != ""}


def _from_file(path: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSetting(None, f"{path} cannot be read: {error}", "Mend the file, or move it away.") from error
    _refuse_unknown(document, [name for name in names() if name != "home"], str(path))
    folder = path.parent
    return {key: folder / value if _is_path(key, value) else value for key, value in document.items()}


def _is_path(name: str, value: object) -> bool:
    return isinstance(value, str) and name in ("passphrase_file", "tls_cert", "tls_key", "hub_ca", "smtp_password_file")


def _refuse_unknown(given: Iterable[str], known: list[str], where: str) -> None:
    for name in sorted(given):
        if name not in known:
            near = difflib.get_close_matches(name, known, 1, 0.5)
            hint = f"Did you mean {near[0]}?" if near else f"Known are: {', '.join(known)}."
            raise BadSetting(None, f"unknown setting {name} in {where}", hint, field=name)


def _typed(name: str, value: Any) -> Any:
    try:
        return _CHECKS[name](value)
    except (TypeError, ValueError) as error:
        raise BadSetting(None, f"the setting {name} cannot be {value!r}: {error}", field=name) from error


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a text is needed")
    return value


def _whole(low: int, high: int) -> Any:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise ValueError("a whole number is needed")
        number = int(value)
        if not low <= number <= high:
            raise ValueError(f"it must be from {low} to {high}")
        return number

    return check


def _level(value: Any) -> str:
    if str(value).lower() not in LOG_LEVELS:
        raise ValueError(f"it must be one of {', '.join(LOG_LEVELS)}")
    return str(value).lower()


def _one_of(*known: str) -> Any:
    def check(value: Any) -> str:
        if value not in known:
            raise ValueError(f"it must be one of {', '.join(known)}")
        return str(value)

    return check


def _path(value: Any) -> Path:
    return Path(value).expanduser().absolute()


def _names(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a text is needed")
    for name in filter(None, value.split(",")):
        if any(sign in name for sign in "/:* ") and not _is_address(name):
            raise ValueError("names or addresses of hosts are needed, with a comma between them and no port")
    return value


def _is_address(name: str) -> bool:
    try:
        return bool(ipaddress.ip_address(name))
    except ValueError:
        return False


def _url(value: Any) -> str:
    if not _text(value).startswith(("http://", "https://")):
        raise ValueError("it must begin with http:// or https://")
    return str(value).rstrip("/")


def _mail_address(value: Any) -> str:
    """One line, with something before and behind the @; a name before it in angle brackets may stand there."""
    if not re.fullmatch(r"[^\r\n<>]*<?[^\s@<>]+@[^\s@<>]+>?", _text(value)):
        raise ValueError("an address like name@city.example is needed")
    return str(value)


_CHECKS: dict[str, Any] = {
    "home": _path,
    "host": _text,
    "port": _whole(0, 65_535),
    "hub_url": _url,
    "log_level": _level,
    "passphrase_file": _path,
    "tls_cert": _path,
    "tls_key": _path,
    "ballast_mb": _whole(0, 1_024),
    "names": _names,
    "call_after_urgent": _whole(1, 1_440),
    "call_after_normal": _whole(1, 1_440),
    "lock_minutes": _whole(0, 720),
    "idle_minutes": _whole(0, 720),
    "totp": _one_of("hq", "off"),
    "hub_ca": _path,
    "smtp_host": _text,
    "smtp_port": _whole(1, 65_535),
    "smtp_security": _one_of("starttls", "tls", "none"),
    "smtp_user": _text,
    "smtp_password_file": _path,
    "mail_from": _mail_address,
    "answer_url": _url,
}
