"""A night from dusk to morning: so many steps of work and faults, then everything heals and is looked at."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable
from dataclasses import dataclass

from tests.simulation.faults import Faults
from tests.simulation.hostile import Hostile
from tests.simulation.machine import Machine
from tests.simulation.morning import Morning
from tests.simulation.quick import remembered
from tests.simulation.sealing import Sealing
from tests.simulation.workload import People
from tests.simulation.world import Swallowed, World

MEETINGS_MAX = 1  # connections beside those to the hub
STEP_MS = (1, 5, 20, 20, 50, 50, 50, 100, 100, 100, 200, 200, 300, 300, 300, 500, 500, 1_000, 4_000)


@dataclass(frozen=True)
class Night:
    """What became of a seed."""

    seed: int
    trace_hash: str
    operations: int
    frames: int
    events: int
    families: tuple[str, ...]


def simulate(
    seed: int, nodes: int = 6, steps: int = 150, say: Callable[[str], None] | None = None, *, sealed: bool = False
) -> Night:
    """Let a night pass. Raises what is wrong (``Broken``, or an error of the engine). ``sealed``: people seal, too."""
    world = World(seed, nodes, steps, say)
    watch = Swallowed(world)
    logger = logging.getLogger("concurrent.futures")
    logger.addHandler(watch)
    propagate, logger.propagate = logger.propagate, False
    collecting = gc.isenabled()
    gc.disable()  # a night makes no garbage that could not wait: it took a tenth of the time
    try:
        with remembered():
            return _pass(world, Sealing(world) if sealed else None)
    except Exception as error:
        how = f"{seed} --nodes {nodes} --steps {steps}{' --sealed' if sealed else ''}"
        error.add_note(f"replay it: python -m tests.simulation {how} --trace")
        raise
    finally:
        logger.removeHandler(watch)
        logger.propagate = propagate
        for machine in world.machines:
            machine.disk.close()
        if collecting:
            gc.enable()


def _pass(world: World, sealing: Sealing | None) -> Night:
    faults = Faults(world)
    people = People(world)
    if "older" in faults.families:
        _make_older(world)
    hostile = Hostile(world) if "hostile" in faults.families else None
    faults.begin()
    for machine in world.machines:
        world.boot(machine)
    world.schedule(0, world.tick)
    if sealing is not None:
        sealing.dusk()
    for step in range(world.steps):
        world.step = step
        _one_step(world, faults, people, hostile)
        if sealing is not None:
            sealing.act()
        if step % 50 == 49:
            world.checkers.looked()
        if world.failure is not None:
            raise world.failure
    operations = Morning(world, faults).come()
    return Night(
        world.seed, world.trace_hash, operations, world.network.frames, world.events, tuple(sorted(faults.families))
    )


def _one_step(world: World, faults: Faults, people: People, hostile: Hostile | None) -> None:
    chance = world.chance
    world.advance(chance.choice(STEP_MS))
    _keep_connected(world, faults)
    what = chance.random()
    if what < 0.28:
        if world.awake:
            people.act(chance.choice(world.awake))
    elif what < 0.44:
        faults.strike()
    elif what < 0.50:
        faults.start()
    elif what < 0.60:
        if hostile is not None:
            hostile.act()
    elif what < 0.66:
        _meet(world)


def _keep_connected(world: World, faults: Faults) -> None:
    """Terminals call the hub again a while after they lost it."""
    hub, chance = world.machines[0], world.chance
    for machine in world.machines[1:]:
        cable = world.network.between(machine, hub)
        if cable is None and chance.random() < 0.25:
            world.network.connect(machine, hub)
        elif cable is not None and machine.name in faults.flapping and chance.random() < 0.25:
            cable.cut()


def _meet(world: World) -> None:
    """Two nodes meet without the hub, or part."""
    one, two = world.chance.sample(world.machines, 2)
    cable = world.network.between(one, two)
    if cable is None:
        if len(world.network.cables) < len(world.machines) + MEETINGS_MAX:
            world.network.connect(one, two)
    elif world.chance.random() < 0.5:
        cable.cut()


def _make_older(world: World) -> None:
    """One terminal runs the release before this one."""
    from tests.simulation import city

    machine: Machine = world.machines[2 if len(world.machines) > 2 else -1]
    if machine.name != "hub":
        machine.disk.close()
        machine.disk, machine.release = city.store(machine.name, "older"), "older"
