"""The invented staff is a list as `import staff` reads it, and nobody in it can be called."""

from __future__ import annotations

from collections import Counter

from app.imports import staff_list
from hazard_data import make_city
from hazard_data.staff_list import DEMO, POSTS, staff_csv
from maps.importers.files import Dataset

PATH = make_city.HERE / "staff.csv"


def test_the_file_is_what_a_fresh_run_writes() -> None:
    assert PATH.read_bytes() == staff_csv()


def test_every_line_is_taken_without_a_fault() -> None:
    found = staff_list.read(Dataset(PATH, PATH.name))
    assert (len(found.records), found.report.faults) == (sum(post.people for post in POSTS), [])
    assert Counter(record["team"] for record in found.records) == {post.team: post.people for post in POSTS}
    assert len({record["name"] for record in found.records}) == len(found.records)
    assert {name for name, _, _ in DEMO} < {record["name"] for record in found.records}


def test_no_number_and_no_address_leads_to_anybody() -> None:
    for record in staff_list.read(Dataset(PATH, PATH.name)).records:
        assert record["phone"].startswith("000-") and record["mail"].endswith(".invalid")


def test_who_goes_to_a_shelter_goes_to_one_of_their_own() -> None:
    places = [
        record["place"] for record in staff_list.read(Dataset(PATH, PATH.name)).records if record["role"] == "shelter"
    ]
    assert len(places) == len(set(places)) == 14
