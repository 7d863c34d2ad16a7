"""Every Python file has a place: a name nobody decided on is refused before it becomes a habit.

A new noun goes into NOUNS, a new room into ROOMS, in the same change that brings the file.
"""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def names(text: str) -> set[str]:
    """The words of a block, so that a list of names stays readable and gives short diffs."""
    return set(text.split())


ROOMS = {
    "sync": names(
        """
        __init__ actions arrival authoring awaited blobs bundle certificate client clock compression digest
        enrolment entries errands errors facts fetching forks frontiers grants greeting hub keyring kinds ledger limits
        link local log_reader merge operation oplog pace peers projection projector promotion protocol quarantine
        refold replica seal heirs sealed sending
        session signing snapshot sums telling verdict version_vector wishes writer
        """
    ),
    "app": names(
        """
        __init__ __main__ accounts audit beacon birth buckets child chronology cli compiled_templates config control
        damage demo
        digests doctor edges effects enrol enrol_codes enrol_door enrol_extras enrol_grant enrol_link enrol_requests
        enrol_wire errors factory hazard heirs layers live locked locked_peers logs machine mend
        messages node own_files permissions
        process_memory processes rates read_marks reading recovery recovery_sheet revoking sealing search server
        skeletons slow_clients
        socket_guard spreadsheet sync_links sync_socket threads verifier version wishes words
        """
    ),
    "maps": names("__init__ assets basemap cells cutting errors grid hazard layers prepare render route verdict"),
    "desktop": names("__init__ __main__ errors leash server window"),
}

PACKAGES = {
    "sync": names(""),
    "app": names(
        "api backups bench catalog commands forms imports intake mail people pki queries records replay store tls views"
    ),
    "maps": names("importers tiles"),
    "desktop": names(""),
}

# The same noun is the same file name in each of these folders.
LAYERS = ("app/api", "app/queries", "app/records", "app/views")

NOUNS = names(
    """
    report_phrases
    doubles
    action_items action_plans arrivals attachments bulletin_sightings bulletins channel_reads channels chat
    chat_messages chronicle
    damage_report_edits damage_report_people damage_reports dashboard delivery evacuation_orders exports grants
    handover_notes head_counts households hq_meeting_decisions hq_meetings incidents
    instruction_replies instruction_sightings
    instructions joins ladder layers map muster_answers muster_replies muster_safety musters nodes observations
    orders patrol_points patrol_tracks patrols places sealed_reads set_asides settings shelter_openings shelters
    shred_receipts situation_reports staff staff_contacts stock_movements supplies supply_items supply_requests
    teams totals users

    conflicts contradictions digest drafts enrol enrolments front hazard heirs history join login numbers portal
    status sync_status translations

    accounts envelopes lock second_factor vouches

    auth bearer collection cursor error_pages etag fields geojson headers health idempotency judge limits log
    links more names noun openapi page paging positions problem projection ranges registry replay report_rows routes row
    same_content saying search security service session shape shell strict_json table_rows tables talk vendor wire
    """
)

NAMES_THAT_SAY_NOTHING = names("base2 common helper helpers manager misc util utils")

PURE = names("actions clock fetching greeting local merge operation seal sending session telling version_vector wishes")
PURE_SYNC_MODULES = {f"sync.{name}" for name in PURE}


def misplaced(root: Path) -> list[str]:
    """The Python files below `root` that stand where nobody gave them a place."""
    faults = []
    for top in ROOMS:
        for path in sorted((root / top).rglob("*.py")):
            place = path.relative_to(root)
            if "__pycache__" not in place.parts and (fault := fault_of(place)):
                faults.append(f"{place.as_posix()}: {fault}")
    return faults


def fault_of(place: Path) -> str | None:
    top, *folders = place.parts[:-1]
    if place.stem in NAMES_THAT_SAY_NOTHING:
        return "the name does not say what is in it"
    if not folders:
        return None if place.stem in ROOMS[top] else f"no such room in {top}/"
    if folders[0] not in PACKAGES[top]:
        return f"no such package in {top}/"
    folder = place.parent.as_posix()
    if folder in LAYERS and place.stem != "__init__" and place.stem not in NOUNS:
        return "not one of the nouns of tests/architecture/test_places.py"
    return None


def test_every_python_file_has_a_place() -> None:
    assert misplaced(ROOT) == []


@pytest.mark.parametrize(
    "planted",
    [
        "sync/shelters.py",
        "app/scratch.py",
        "app/helpers/forms.py",
        "app/records/things.py",
        "app/store/utils.py",
        "maps/manager.py",
        "desktop/tray/icon.py",
    ],
)
def test_a_file_without_a_place_is_refused(tmp_path: Path, planted: str) -> None:
    (tmp_path / planted).parent.mkdir(parents=True)
    (tmp_path / planted).touch()
    assert [fault.split(":")[0] for fault in misplaced(tmp_path)] == [planted]


def test_the_purity_contract_names_every_pure_module_there_is() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter", encoding="utf-8")
    named = set(contracts["importlinter:contract:pure_sync"]["source_modules"].split())
    present = {name for name in PURE_SYNC_MODULES if (ROOT / f"{name.replace('.', '/')}.py").exists()}
    assert present - named == set()
