"""Three to five replicas beside a plain model: whatever people do, both show the same (see ``plain_model``)."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import sqlcipher3
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sync import merge
from sync.authoring import Recorded, StaleVersion
from sync.log_reader import LogReader
from sync.operation import ENTRY, REMOVE, SET, Change, Version
from sync.oplog import Segment
from sync.replica import Replica
from tests.unit.sync.nodes import (
    NOW,
    REAL,
    Time,
    check_whole,
    ident,
    make_replica,
    receive,
    shown,
)
from tests.unit.sync.plain_model import REGISTERS, REMOVED, Model, Page, Write
from tests.unit.sync.side_by_side import RECORDS, REPORTS, check_same

HOUR, TEN_YEARS = 3_600_000, 10 * 365 * 24 * 3_600_000

nodes = st.integers(0, 4)
records = st.sampled_from(RECORDS)
contents = st.fixed_dictionaries(
    {},
    optional={
        "text": st.sampled_from([None, "a", "b"]),
        "road": st.sampled_from(["impassable", "foot_only", None, "passable"]),
        "depth": st.sampled_from([None, 0.5, 1.5]),
        "seen": st.integers(-2, 5),
        "number": st.sampled_from(["T-1", "T-2"]),
    },
)
tags = st.lists(st.sampled_from(["食料", "毛布", "水"]), unique=True, max_size=2)


@dataclass
class Node:
    """A replica, and what stands around it."""

    name: str
    replica: Replica
    time: Time
    copy: Any = None  # an older copy of its database

    @property
    def id(self) -> bytes:
        return self.replica.identity.node_id


@dataclass(frozen=True)
class Form:
    """A page that somebody opened and has not saved yet."""

    node: int
    record: bytes
    versions: tuple[Version, ...]
    page: Page


class Cities(RuleBasedStateMachine):
    """What people, networks and disks do, on real replicas and in the model."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.nodes: list[Node] = []
        self.forms: list[Form] = []
        self.sent: list[Segment] = []
        self.touched: set[int] = set()

    @initialize(count=st.integers(3, 5))
    def begin(self, count: int) -> None:
        for number in range(count):
            self.nodes.append(self._start(f"node {number}", Time(NOW + number), None))

    def _start(self, name: str, time: Time, connection: Any) -> Node:
        capabilities = ("field", "enrol") if name in ("node 0", "node 1") else ("field",)
        return Node(name, make_replica(name, capabilities, now=time, connection=connection), time)

    # -- people ----------------------------------------------------------------------------------

    @rule(node=nodes, record=records, fields=contents, adds=tags)
    def write_without_having_seen_anything(self, node: int, record: bytes, fields: Any, adds: list[str]) -> None:
        self._edit(node, record, fields, adds, frozenset(), versions=())

    @rule(node=nodes, record=records, fields=contents, adds=tags, dropped=st.integers(0, 3))
    def edit_what_is_shown(self, node: int, record: bytes, fields: Any, adds: list[str], dropped: int) -> None:
        self._edit_page(node, record, fields, adds, dropped)

    def _edit_page(self, node: int, record: bytes, fields: Any, adds: list[str], dropped: int) -> None:
        page = self._page(node, record)
        drops = frozenset(sorted(page.tags)[:dropped]) if page else frozenset()
        self._edit(node, record, fields, adds, drops, versions=None)

    @rule(node=nodes, record=records)
    def open_a_form(self, node: int, record: bytes) -> None:
        page = self._page(node, record)
        if page is not None:
            row = self._at(node).replica.projection.load(REPORTS, REAL, record)
            assert row is not None
            live = merge.live(merge.unpack(REPORTS, row.state, row.values))
            self.forms.append(Form(node % len(self.nodes), record, tuple(sorted(live)), page))

    @precondition(lambda self: self.forms)
    @rule(chosen=st.integers(0, 50), fields=contents, adds=tags, dropped=st.integers(0, 3), removes=st.booleans())
    def save_a_form_that_was_opened_before(
        self, chosen: int, fields: Any, adds: list[str], dropped: int, removes: bool
    ) -> None:
        form = self.forms[chosen % len(self.forms)]
        drops = frozenset(sorted(form.page.tags)[:dropped])
        if removes:
            self._write(form.node, form.record, {}, type=REMOVE, form=form, versions=form.versions)
        else:
            self._edit(form.node, form.record, fields, adds, drops, versions=form.versions, form=form)

    @rule(node=nodes, chosen=st.integers(0, 5))
    def settle_a_conflict(self, node: int, chosen: int) -> None:
        pages = {record: self._page(node, record) for record in RECORDS}
        for record, page in pages.items():
            fields = page.conflicts - {REMOVED} if page else frozenset()
            if page is not None and fields and not page.hidden:
                heads = {name: list(page.heads[name].values()) for name in fields}
                self._edit(node, record, {n: v[chosen % len(v)] for n, v in heads.items()}, [], frozenset(), None)
                after = self._page(node, record)
                assert after is None or not after.conflicts & fields or self._is_revoked(node)

    @rule(node=nodes, record=records)
    def remove_or_bring_back(self, node: int, record: bytes) -> None:
        page = self._page(node, record)
        if page is None:
            return
        if page.hidden:
            self._edit(node, record, {"text": "back"}, [], frozenset(), versions=None)
        else:
            self._write(node, record, {}, type=REMOVE, versions=None)
        after = self._page(node, record)
        assert after is None or after.hidden != page.hidden or self._is_revoked(node)

    @rule(node=nodes, kind=st.sampled_from(["messages", "counts"]), people=st.integers(0, 9), heard=st.none() | nodes)
    def enter_into_a_ledger(self, node: int, kind: str, people: int, heard: int | None) -> None:
        at = self._at(node)
        if heard is not None:
            self._take(node, self._lacking(self._at(heard), at))
        listed = self.model.ledger(self._held(node), kind)
        fields = {"people": people} if kind == "counts" else {"text": str(people)}
        record = ident(f"entry {len(self.model.writes)}")
        (result,), _ = at.replica.run_batch([lambda r: r.record([Change(kind, record, REAL, fields, ENTRY)], None)])
        seen = frozenset({listed[-1].number} if listed else ())
        self._note(node, result, kind, record, fields, saw=seen)
        assert self._is_revoked(node) or self.model.ledger(self._held(node), kind)[-1].record == record

    @precondition(lambda self: len(self.nodes) > 2)
    @rule(by=st.integers(0, 1), node=nodes)
    def revoke(self, by: int, node: int) -> None:
        lost, office = self._at(node), self._at(by)
        held = self._held(by)
        (result,), _ = office.replica.run_batch([lambda r: r.revoke(lost.id, None, "lost", None)])
        before = [w for w in held if w.kind == "revocations" and w.record == lost.id]
        heads = {w.number for w in before if not any(w.number in other.saw for other in before)}
        accepted: dict[bytes, int] = {}
        for write in held:
            if write.node == lost.id:
                accepted[write.place[0]] = max(write.place[1], accepted.get(write.place[0], 0))
        self._note(by, result, "revocations", lost.id, {"accepted": accepted}, saw=frozenset(heads))

    # -- networks --------------------------------------------------------------------------------

    @rule(one=nodes, two=nodes)
    def sync_two(self, one: int, two: int) -> None:
        a, b = self._at(one), self._at(two)
        self._take(two, self._lacking(a, b))
        self._take(one, self._lacking(b, a))
        assert a.replica.vector == b.replica.vector
        assert shown(a.replica) == shown(b.replica)

    @rule(one=nodes, two=nodes, most=st.integers(1, 12), dice=st.randoms(use_true_random=False), gaps=st.booleans())
    def sync_a_part(self, one: int, two: int, most: int, dice: Any, gaps: bool) -> None:
        """Streams overtake each other, own ones first, so names come before what they name; with gaps, runs as well."""
        a = self._at(one)
        found = self._lacking(a, self._at(two))
        dice.shuffle(found)
        if not gaps:
            found.sort(key=lambda segment: segment.first)
            found.sort(key=lambda segment: (segment.stream[:16] != a.replica.origin, segment.stream))
        self._take(two, found[:most])

    @rule(one=nodes, two=nodes, record=records, fields=contents, adds=tags)
    def hear_of_a_record_and_edit_it(self, one: int, two: int, record: bytes, fields: Any, adds: list[str]) -> None:
        self._take(two, self._lacking(self._at(one), self._at(two)))
        self._edit_page(two, record, fields, adds, 1)

    @precondition(lambda self: self.sent)
    @rule(node=nodes, chosen=st.lists(st.integers(0, 500), min_size=1, max_size=3))
    def send_something_again(self, node: int, chosen: list[int]) -> None:
        self._take(node, [self.sent[number % len(self.sent)] for number in chosen])

    # -- machines --------------------------------------------------------------------------------

    @rule(node=nodes, trouble=st.sampled_from(["restart", "rebuild", "copy", "put back"]))
    def machine(self, node: int, trouble: str) -> None:
        at = self._at(node)
        if trouble == "copy":
            at.copy = sqlcipher3.connect(":memory:", isolation_level=None, check_same_thread=False)
            at.replica.connection.backup(at.copy)
        elif trouble == "put back":
            self._put_an_older_copy_back(node)
        else:
            before = shown(at.replica)
            if trouble == "restart":
                at.replica = self._start(at.name, at.time, at.replica.connection).replica
            else:
                at.replica.rebuild()
            assert shown(at.replica) == before

    def _put_an_older_copy_back(self, node: int) -> None:
        at = self._at(node)
        if at.copy is not None:
            at.replica.connection.close()
            at.replica, at.copy = self._start(at.name, at.time, at.copy).replica, None
            at.replica.random = lambda size: ident(f"chance {len(self.model.writes)} {at.name}")[:size]
            at.replica.run_batch([lambda r: r.new_incarnation()])
            self.touched.add(node % len(self.nodes))

    @rule(node=nodes, offset=st.sampled_from([-HOUR, HOUR, 0, 1, TEN_YEARS, -NOW]))
    def set_the_clock(self, node: int, offset: int) -> None:
        self._at(node).time.ms = NOW + offset

    # -- what must hold --------------------------------------------------------------------------

    @invariant()
    def both_show_the_same(self) -> None:
        for number in sorted(self.touched):
            check_same(self.model, self._at(number).replica)
        self.touched.clear()

    def teardown(self) -> None:
        """When all have met, all hold the same, show the same, and show what the model says."""
        for _ in range(2):
            for one in range(len(self.nodes)):
                for two in range(len(self.nodes)):
                    self._take(two, self._lacking(self._at(one), self._at(two)))
        self.both_show_the_same()
        pages = [check_whole(node.replica) for node in self.nodes]
        for node in self.nodes:
            node.replica.connection.close()
        assert all(page == pages[0] for page in pages)

    # -- small -----------------------------------------------------------------------------------

    def _at(self, node: int) -> Node:
        return self.nodes[node % len(self.nodes)]

    def _held(self, node: int) -> list[Write]:
        return self.model.held(self._at(node).replica.vector)

    def _page(self, node: int, record: bytes) -> Page | None:
        return self.model.page(self._held(node), record)

    def _is_revoked(self, node: int) -> bool:
        return self._at(node).replica.is_revoked(self._at(node).id)

    def _edit(
        self, node: int, record: bytes, fields: Any, adds: list[str], drops: Any, versions: Any, form: Any = None
    ) -> None:
        change: dict[str, Any] = {}
        if adds:
            change["add"] = list(adds)
        if drops:
            places = {number: self.model.writes[number].place for number, _ in drops}
            change["drop"] = [[places[number][0][:16], places[number][1], tag] for number, tag in sorted(drops)]
        written = {**fields, **({"tags": change} if change else {})}
        if written:
            self._write(node, record, written, versions=versions, form=form, adds=tuple(adds), drops=drops)

    def _write(
        self, node: int, record: bytes, fields: dict[str, Any], *, versions: Any, type: int = SET,
        form: Form | None = None, adds: tuple[str, ...] = (), drops: Any = frozenset(),
    ) -> None:  # fmt: skip
        at, page, number = self._at(node), self._page(node, record), len(self.model.writes)
        change = Change("reports", record, REAL, fields, type, versions)
        person = ident(f"person {number % 3}")
        (result,), _ = at.replica.run_batch([lambda r: r.record([change], person)])
        if form is not None and not form.page.live <= {write.number for write in self._held(node)}:
            assert isinstance(result, StaleVersion)  # the store was put back behind the form's back
            return
        saw = self._saw(page, fields, type, versions, form)
        plain = {name: value for name, value in fields.items() if name != "tags"}
        if type == SET and page is not None and saw & set(page.heads[REMOVED]):
            plain[REMOVED] = None
        self._note(
            node, result, "reports", record, plain, saw=saw, author=person, adds=adds, drops=frozenset(drops),
            is_remove=type == REMOVE,
        )  # fmt: skip

    @staticmethod
    def _saw(page: Page | None, fields: Any, type: int, versions: Any, form: Form | None) -> frozenset[int]:
        """What a write takes the place of: what stood on the screen in a field that it writes."""
        if versions == ():
            return frozenset()
        if page is None:
            return form.page.live if form else frozenset()
        wanted = page.live if type == REMOVE else page.named_by_an_edit(set(fields) & set(REGISTERS))
        if form is None:
            return wanted
        return frozenset(number for number in form.page.live if number in wanted or number not in page.live)

    def _note(self, node: int, result: Any, kind: str, record: bytes, fields: Any, **more: Any) -> None:
        assert isinstance(result, Recorded), result
        number, author = len(self.model.writes), more.pop("author", None)
        self.model.add(
            Write(number, self._at(node).id, result.versions[0], result.hlc, kind, record, author, fields, **more)
        )
        self.touched.add(node % len(self.nodes))

    @staticmethod
    def _lacking(one: Node, two: Node) -> list[Segment]:
        """What ``two`` lacks of ``one``, in small runs and in ``one``'s own order."""
        reader, sent, cursors = LogReader(one.replica.connection), dict(two.replica.vector), {}
        found: list[Segment] = []
        while more := reader.next_segments(sent, cursors, ops_max=1, bytes_max=1):
            found += more
        return found

    def _take(self, node: int, segments: list[Segment]) -> None:
        if segments:
            receive(self._at(node).replica, *segments)
            self.sent = [*self.sent, *(dataclasses.replace(segment) for segment in segments)][-200:]
            self.touched.add(node % len(self.nodes))
