"""Names that people would take for one, and passphrases that everybody tries first."""

from __future__ import annotations

import pytest

from app.accounts import Accounts
from app.errors import Conflict, Invalid
from app.people import names
from app.people.passphrases import refuse_plain
from tests.unit.app.people.conftest import PASSPHRASE


@pytest.mark.parametrize(
    ("one", "twin"),
    [
        ("佐藤タロウ", "佐藤 タロウ"), ("佐藤タロウ", "佐藤夕ロウ"), ("佐藤タロウ", "佐藤タ口ウ"), ("高橋", "髙橋"),
        ("ABE", "ａｂｅ"), ("ｱﾍﾞ", "アベ"), ("佐藤", "佐\u200b藤"), ("ニノ宮", "二ノ宮"), ("メーカ", "メ一カ"),
        ("葛\U000e0100西", "葛西"),
    ],
)  # fmt: skip
def test_what_people_would_take_for_one_name_is_one(one: str, twin: str) -> None:
    assert names.likeness(one) == names.likeness(twin)


def test_a_twin_is_refused_and_told_whose_twin_it_is(accounts: Accounts) -> None:
    accounts.add_user("佐藤タロウ", "patrol", PASSPHRASE)
    with pytest.raises(Conflict) as caught:
        accounts.add_user("佐藤 夕ロウ", "commander", PASSPHRASE)
    assert caught.value.code == "name_taken" and "佐藤タロウ" in caught.value.message


@pytest.mark.parametrize(("one", "other"), [("渡辺", "渡邊"), ("斎藤", "斉藤"), ("佐藤 1班", "佐藤 2班")])
def test_names_that_people_keep_apart_stay_apart(one: str, other: str) -> None:
    assert names.likeness(one) != names.likeness(other)


@pytest.mark.parametrize(
    "passphrase",
    [
        "password", "Password1", "ＰＡＳＳＷＯＲＤ", "passw0rd2026", "12345678", "87654321", "aaaaaaaa", "abababab",
        "abcdefgh", "qwertyui", "tomoshibi", "Tomoshibi1", "佐久間花子1964", "佐久間花子佐久間花子", "葦原市本部2019",
        "あいうえおかきく", "パスワード1234", "災害対策本部01", "!!!!!!!!", "1234abcd1234abcd", "sakura2026",
    ],
)  # fmt: skip
def test_what_everybody_tries_first_is_no_passphrase(passphrase: str) -> None:
    with pytest.raises(Invalid) as caught:
        refuse_plain(passphrase, "佐久間花子", "葦原市本部")
    assert (caught.value.code, caught.value.field) == ("plain_passphrase", "passphrase")


@pytest.mark.parametrize(
    "passphrase", ["a-long-enough-passphrase", "灯火と番小屋と川", "19640229", "correct horse", "佐久間の犬は三匹"]
)
def test_a_few_words_and_no_rules_of_composition_are_enough(passphrase: str) -> None:
    refuse_plain(passphrase, "佐久間花子", "葦原市本部")
