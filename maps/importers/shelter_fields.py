"""Which column of a shelter list says what: GSI, 自治体標準オープンデータセット old and new, and what cities write.

Columns are matched by name, never by place: the standard's order changed, and its names hold full-width commas.
"""

from __future__ import annotations

from maps.importers.tables import column, plain

# Our field → the names of columns that hold it, the better ones first.
NAMES: dict[str, tuple[str, ...]] = {
    "name": (
        "施設・場所名", "名称", "施設名", "施設名称", "避難所名", "避難場所名", "避難所名称", "避難場所名称",
        "避難施設名", "name", "p20_002",
    ),
    "kana": ("名称_カナ", "名称カナ", "カナ", "フリガナ", "ふりがな", "よみがな", "施設名（かな）", "kana"),
    "common_id": ("共通ID", "全国共通避難所・避難場所ID", "全国共通ID", "common_id", "ID"),
    "address": ("住所", "所在地_連結表記", "所在地", "施設所在地", "address", "p20_003"),
    "latitude": ("緯度", "北緯", "lat", "latitude", "y", "緯度（世界測地系）"),
    "longitude": ("経度", "東経", "lon", "lng", "long", "longitude", "x", "経度（世界測地系）"),
    "both": ("緯度経度", "緯度・経度", "座標", "位置座標"),
    "phone": ("電話番号", "電話", "TEL", "telephone", "phone", "連絡先"),
    "facility": ("施設種別", "施設の種類", "施設区分", "種別", "kind", "facility", "category2", "p20_004"),
    "district": ("地区", "地区名", "対象地区", "district", "area", "学区", "地域"),
    "capacity": ("想定収容人数", "収容人数", "収容可能人数", "収容人員", "capacity", "定員", "p20_005"),
    "usable_floors_label": ("usable_floors_label", "使用可能階", "利用可能階", "使用階", "避難階", "避難可能階"),
    "hazard_words": ("対応している災害の種別", "対応災害", "対象災害", "災害種別", "category3"),
    "note": ("備考", "note", "注記", "特記事項"),
    "also_evacuation": ("指定避難所との重複",),
    "for_whom": ("受入対象者",),
}  # fmt: skip
ADDRESS_PARTS = ("所在地_都道府県", "所在地_市区町村", "所在地_町字", "所在地_番地以下")
OLD_ADDRESS_PARTS = ("都道府県名", "市区町村名", "住所", "方書")

# Codes of app/catalog/hazard_types.toml → how lists write them.
HAZARDS: dict[str, tuple[str, ...]] = {
    "flood": ("洪水",),
    "landslide": ("崖崩れ、土石流及び地滑り", "がけ崩れ、土石流及び地滑り", "土砂災害"),
    "storm_surge": ("高潮",),
    "earthquake": ("地震",),
    "tsunami": ("津波",),
    "fire": ("大規模な火事", "大規模な火災", "火災"),
    "inland_flood": ("内水氾濫",),
    "volcano": ("火山現象", "火山"),
}
ALL_HAZARDS_WORDS = ("全災害", "全災害時", "すべて", "全て")
YES = ("1", "1.0", "○", "◯", "〇", "●", "◎", "有", "可", "適", "はい", "true", "yes", "y", "✓", "✔", "レ", "該当")
NO = (
    "",
    "0",
    "0.0",
    "×",
    "✕",
    "✖",
    "x",
    "-",
    "ー",
    "―",
    "無",
    "なし",
    "不可",
    "不適",
    "いいえ",
    "false",
    "no",
    "n",
    "非該当",
)
TOTAL_WORDS = ("合計", "総計", "小計", "計", "総合計", "total")

_BY_COLUMN = {column(name): field for field, names in NAMES.items() for name in reversed(names)}
_HAZARD_COLUMNS = {
    column(prefix + name): code for code, names in HAZARDS.items() for name in names for prefix in ("", "災害種別_")
}
_PARTS = {column(name) for name in (*ADDRESS_PARTS, *OLD_ADDRESS_PARTS)}


def field_of(name: str) -> str | None:
    return _BY_COLUMN.get(column(name))


def hazard_of(name: str) -> str | None:
    return _HAZARD_COLUMNS.get(column(name))


def is_known(name: str) -> bool:
    """Whether a cell of a head is the name of a column that is read."""
    return bool(name.strip()) and (
        column(name) in _BY_COLUMN or column(name) in _HAZARD_COLUMNS or column(name) in _PARTS
    )


def flag(text: str) -> bool | None:
    """○, 1, 1.0, 有 …; None where a person has to say."""
    clean = plain(text).lower()
    narrow = clean.replace("−", "-")
    if clean in YES:
        return True
    return False if narrow in NO else None
