"""The staff of 葦原市 as the city's own list has them: invented people, in the columns of `tomoshibi import staff`.

The first three carry the names of the demo's logins, so that they answer a call-out on their own screens. No number
is one that a telephone network gives out, and no mail address can be reached (`.invalid`, RFC 2606).
"""

from __future__ import annotations

import csv
import io
from typing import NamedTuple

from hazard_data.shelter_list import shelter_rows

NOTE = "訓練用(架空)"
HEAD = (
    *("職員番号", "氏名", "ふりがな", "所属", "班", "役割", "参集場所", "配備区分"),
    *("電話番号", "メールアドレス", "備考"),
)
HALL = "葦原市役所"


class Post(NamedTuple):
    """A team of the plan: who is in it, what they do, where they go, and from which level on."""

    people: int
    section: str
    team: str
    role: str
    place: str
    level: str


AT_SHELTERS = "避難所"  # each goes to a shelter of their own
POSTS = (
    Post(4, "防災課", "統括班", "本部", HALL, "注意配備"),
    Post(5, "秘書広報課", "情報班", "本部", HALL, "第1配備"),
    Post(4, "道路課", "巡回1班", "巡回", HALL, "第1配備"),
    Post(4, "道路課", "巡回3班", "巡回", HALL, "第1配備"),
    Post(6, "下水道課", "水防班", "水防", "大葦川 水防倉庫", "注意配備"),
    Post(14, "教育総務課", "避難所班", "避難所指定職員", AT_SHELTERS, "第2配備"),
    Post(5, "福祉課", "救護班", "各課", "葦原市 保健センター", "第2配備"),
    Post(6, "税務課", "物資班", "各課", "葦原市 中央備蓄倉庫", "非常配備"),
)
DEMO = (("佐久間", "さくま", "統括班"), ("梶原", "かじわら", "巡回3班"), ("宮脇", "みやわき", "避難所班"))
FAMILIES = (
    *(("葦田", "あしだ"), ("河合", "かわい"), ("島村", "しまむら"), ("古堀", "ふるほり"), ("水野", "みずの")),
    *(("堤", "つつみ"), ("浅沼", "あさぬま"), ("野本", "のもと"), ("東", "ひがし"), ("新田", "にった")),
    *(("渡", "わたり"), ("高須", "たかす"), ("入江", "いりえ")),
)
GIVEN = (("直樹", "なおき"), ("美咲", "みさき"), ("健", "けん"), ("由佳", "ゆか"), ("悟", "さとる"))


def staff_csv() -> bytes:
    """The list as a city would export it: UTF-8 with a mark, a head, one person a line."""
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\r\n")
    lines.writerow(HEAD)
    places = iter(row["name"] for row in shelter_rows())
    named = iter(_names())
    number = 0
    for post in POSTS:
        first = [(name, kana) for name, kana, team in DEMO if team == post.team]
        for name, kana in [*first, *(next(named) for _ in range(post.people - len(first)))]:
            number += 1
            place = next(places) if post.place == AT_SHELTERS else post.place
            who = (f"{number:04}", name, kana, post.section, post.team, post.role, place, post.level)
            lines.writerow((*who, f"000-0000-{number:04}", f"staff{number:04}@ashihara.invalid", NOTE))
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _names() -> list[tuple[str, str]]:
    """65 people, no name twice; neighbours of the list differ in both names."""
    return [
        (f"{family} {given}", f"{family_kana} {given_kana}")
        for turn in range(len(GIVEN))
        for place, (family, family_kana) in enumerate(FAMILIES)
        for given, given_kana in [GIVEN[(place + turn) % len(GIVEN)]]
    ]
