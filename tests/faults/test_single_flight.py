# SPDX-License-Identifier: Apache-2.0
"""Many processes, one destination: one of them fetches, the others wait and take what it made. Its
death makes another one go on; and nothing depends on the lock but how often the bytes come."""
import hashlib
import os
import pathlib
import random
import re
import signal
import threading
import time

import pytest

from support.leftovers import Leftovers, descriptors, wait_until
from support.peers import require_program
from support.program import SANITIZE, outcome_of
from support.resume_server import ResumeServer, answer

MIB = 1 << 20
SIZE = 12 * MIB + 5
BODY, OTHER = (random.Random(seed).randbytes(SIZE) for seed in (21, 22))
ETAG = 'ETag: "v"'
MANY = 16
SLACK = 4 if SANITIZE else 1


class Gate:
    """Lets half of the body through, and the rest once it is opened."""

    def __init__(self, size=SIZE // 2):
        self.size, self.opened = size, threading.Event()

    def __call__(self, server, request, connection):
        start, part = server.head(request)
        size = min(self.size, len(part))
        server.send(request, connection, start, part[:size])
        self.opened.wait(60)
        server.send(request, connection, b"", part[size:])


@pytest.fixture
def server():
    with ResumeServer(BODY, ETAG) as made:
        yield made


@pytest.fixture
def left(fetch):
    return Leftovers(fetch.new_place())


@pytest.fixture
def crowd(fetch, server, left):
    """crowd(count, ...) -> the leader, who is in the middle of it, and the others, who wait."""
    children = []

    def gather(count, *arguments, url=None):
        begun = [fetch.start(*arguments, url or server.url(), place=left.place)
                 for _ in range(count)]
        children.extend(begun)
        server.wait_for(lambda _: server.asked)
        wait_until(lambda: all(left.locks(child.pid) for child in begun))
        leader = [child for child in begun if left.is_held_by(child)]
        assert len(leader) == 1
        return leader[0], [child for child in begun if child is not leader[0]]

    yield gather
    for child in children:
        if child.poll() is None:
            child.kill()
            child.communicate()


def all_succeeded(children, left, body=BODY):
    for child in children:
        outcome = outcome_of(child)
        assert outcome.code == 0, outcome.stderr
    assert (left.place / "out").read_bytes() == body
    assert left.names() == [], left.names()


def test_88_many_who_wait_take_what_one_has_made(server, left, crowd):
    gate = Gate()
    server.script = [gate]
    leader, others = crowd(MANY)
    gate.opened.set()
    all_succeeded([leader, *others], left)
    assert len(server.asked) == 1 and server.sent_in_all == SIZE


def test_small_bodies_and_digests_are_made_once_as_well(server, left, crowd):
    gate = Gate(3)
    server.become(b"hello")
    server.script = [gate]
    leader, others = crowd(4, "--checksum", "sha256:" + hashlib.sha256(b"hello").hexdigest())
    gate.opened.set()
    all_succeeded([leader, *others], left, b"hello")
    assert len(server.asked) == 1


def test_88_a_leader_who_is_killed_is_replaced_within_a_second(server, left, crowd):
    server.script = [Gate()]
    leader, others = crowd(MANY)
    left.wait_for(5 * MIB)
    leader.kill()
    begin = time.monotonic()
    leader.communicate()
    server.wait_for(lambda _: len(server.asked) == 2)
    assert time.monotonic() - begin < SLACK
    all_succeeded(others, left)
    assert len(server.asked) == 2
    assert server.asked[1].offset >= 5 * MIB, "the next one goes on where the dead one was"


def test_leaders_can_be_killed_one_after_another(server, left, crowd):
    server.then = Gate(2 * MIB)
    leader, others = crowd(4)
    for count in (2, 3):
        left.wait_for((count - 1) * 2 * MIB - MIB)
        leader.kill()
        leader.communicate()
        server.wait_for(lambda _, count=count: len(server.asked) == count)
        leader = next(child for child in others if left.is_held_by(child))
        others.remove(leader)
    server.then.opened.set()
    all_succeeded([leader, *others], left)


def test_a_leader_who_is_cancelled_is_replaced(server, left, crowd):
    server.script = [Gate()]
    leader, others = crowd(4)
    leader.send_signal(signal.SIGINT)
    assert outcome_of(leader).code == 130
    all_succeeded(others, left)
    assert len(server.asked) == 2


def test_a_leader_who_fails_is_replaced(server, left, crowd):
    opened = threading.Event()

    def refuse(server, request, connection):
        opened.wait(60)
        return answer("404 Not Found")

    server.script = [refuse]
    leader, others = crowd(4)
    opened.set()
    assert outcome_of(leader).code == 78
    all_succeeded(others, left)
    assert len(server.asked) == 2


def test_88_a_leader_who_stands_still_is_not_waited_for_for_ever(fetch, server, left, crowd):
    gate = Gate()
    server.script = [gate]
    leader, _ = crowd(1)
    leader.send_signal(signal.SIGSTOP)
    try:
        begin = time.monotonic()
        waiters = [fetch.start("--option", "time.lock=1s", server.url(), place=left.place)
                   for _ in range(3)]
        for child in waiters:
            outcome = outcome_of(child)
            assert outcome.code == 114 and len(outcome.stderr.splitlines()) == 1, outcome.stderr
        assert 1 <= time.monotonic() - begin < 2 + SLACK
    finally:
        leader.send_signal(signal.SIGCONT)
    gate.opened.set()
    all_succeeded([leader], left)
    assert len(server.asked) == 1


def test_who_waits_can_be_ended_without_harm(server, left, crowd):
    gate = Gate()
    server.script = [gate]
    leader, others = crowd(5)
    for child, number in zip(others, (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)):
        begin = time.monotonic()
        child.send_signal(number)
        code = outcome_of(child).code
        assert code == (-9 if number == signal.SIGKILL else 128 + number)
        assert time.monotonic() - begin < 0.1 + SLACK / 2
    gate.opened.set()
    all_succeeded([leader, others[3]], left)
    assert len(server.asked) == 1


# ---- who may not share ---------------------------------------------------------------------------

def test_late_comers_fetch_for_themselves(fetch, server, left):
    fetch(server.url(), place=left.place).succeeded(BODY)
    server.become(OTHER, 'ETag: "w"')
    fetch(server.url(), place=left.place).succeeded(OTHER)


@pytest.mark.parametrize("arguments, path", [
    ((), "/other"), (("-H", "X-Who: me"), "/x"), (("-u", "me:pw"), "/x"),
    (("--checksum", "sha256:" + hashlib.sha256(OTHER).hexdigest()), "/x")],
    ids=["url", "header", "login", "digest"])
def test_another_request_is_never_satisfied_by_what_the_leader_made(fetch, server, left, crowd,
                                                                    arguments, path):
    gate = Gate()
    server.script = [gate]
    leader, _ = crowd(1)
    waiter = fetch.start(*arguments, server.url(path), place=left.place)
    wait_until(lambda: left.is_awaited_by(waiter))
    server.become(OTHER, 'ETag: "w"')
    gate.opened.set()
    all_succeeded([leader, waiter], left, OTHER)
    assert [request.offset for request in server.asked] == [None, None]


def test_other_destinations_do_not_wait(fetch, server, left, crowd):
    gate = Gate()
    server.script = [gate]
    leader, _ = crowd(1)
    outcome = fetch(server.url(), place=left.place, output="other")
    assert outcome.code == 0 and (left.place / "other").read_bytes() == BODY
    (left.place / "other").unlink()
    gate.opened.set()
    all_succeeded([leader], left)


def test_what_was_changed_after_it_was_made_is_not_taken(fetch, server, left, crowd):
    """The waiter is stopped while the leader ends and somebody writes into the file."""
    gate = Gate()
    server.script = [gate]
    leader, _ = crowd(1)
    waiter = fetch.start(server.url(), place=left.place)
    wait_until(lambda: left.is_awaited_by(waiter))
    waiter.send_signal(signal.SIGSTOP)
    gate.opened.set()
    assert outcome_of(leader).code == 0
    with open(left.place / "out", "r+b") as file:
        file.write(b"somebody else's")
    waiter.send_signal(signal.SIGCONT)
    all_succeeded([waiter], left)
    assert len(server.asked) == 2


# ---- without a lock ------------------------------------------------------------------------------

TRAPS = {
    "link": lambda path, victim: path.symlink_to(victim),
    "dangling-link": lambda path, victim: path.symlink_to("nowhere"),
    "hard-link": lambda path, victim: os.link(victim, path),
    "fifo": lambda path, victim: os.mkfifo(path),
    "directory": lambda path, victim: path.mkdir(),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_84_a_trap_at_the_locks_name_hurts_nobody(fetch, server, left, trap):
    victim = left.place.parent / "victim"
    victim.write_bytes(b"precious")
    TRAPS[trap](left.lock, victim)
    children = [fetch.start(server.url(), place=left.place) for _ in range(6)]
    for child in children:
        outcome = outcome_of(child)
        assert outcome.code == 0, outcome.stderr
    assert (left.place / "out").read_bytes() == BODY
    assert victim.read_bytes() == b"precious" and left.names() == [left.lock.name]
    assert not (left.place / "nowhere").exists()
    assert len(server.asked) == 6


def test_without_a_lock_no_partial_is_made_or_taken(fetch, server, left):
    os.mkfifo(left.lock)
    server.script = [Gate()]
    child = fetch.start(server.url(), place=left.place)
    server.wait_for(lambda _: server.asked and server.asked[0].sent == SIZE // 2)
    time.sleep(0.2)
    child.kill()
    child.communicate()
    assert left.names() == [left.lock.name]
    left.lock.unlink()
    server.script = [Gate()]
    child = fetch.start(server.url(), place=left.place)
    left.wait_for(5 * MIB)
    child.kill()
    child.communicate()
    left.lock.unlink()
    os.mkfifo(left.lock)
    server.become(OTHER, ETAG)  # the etag lies
    outcome = fetch(server.url(), place=left.place)
    assert outcome.code == 0 and outcome.body == OTHER and server.asked[-1].offset is None


def test_a_lock_that_somebody_deletes_costs_a_transfer_and_nothing_else(fetch, server, left, crowd):
    """Two write at once, each into an inode of its own."""
    gate = Gate(9 * MIB)
    server.script = [gate]
    leader, _ = crowd(1)
    left.wait_for(8 * MIB)
    left.lock.unlink()
    server.become(OTHER, 'ETag: "w"')
    assert fetch(server.url(), place=left.place).code == 0
    assert (left.place / "out").read_bytes() == OTHER
    gate.opened.set()
    all_succeeded([leader], left)
    assert [request.offset for request in server.asked] == [None, None]


def test_a_lock_that_somebody_deletes_is_not_deleted_again(fetch, server, left, crowd):
    """The next one's lock has the same name."""
    gates = [Gate(), Gate()]
    server.script = gates[:]
    first, _ = crowd(1)
    left.lock.unlink()
    second, _ = crowd(1)
    server.wait_for(lambda _: len(server.asked) == 2)
    gates[0].opened.set()
    assert outcome_of(first).code == 0
    assert left.lock.exists()
    gates[1].opened.set()
    all_succeeded([second], left)


def leave_a_note(fetch, server, left, crowd):
    """A waiter who is killed before it looks keeps the file, and the note in it, from going."""
    gate = Gate()
    server.script = [gate]
    leader, (waiter,) = crowd(2)
    waiter.send_signal(signal.SIGSTOP)
    gate.opened.set()
    assert outcome_of(leader).code == 0
    waiter.kill()
    waiter.communicate()
    assert b"flnote1" in left.lock.read_bytes()


def test_an_old_note_is_for_nobody_who_came_later(fetch, server, left, crowd):
    leave_a_note(fetch, server, left, crowd)
    server.become(OTHER, 'ETag: "w"')
    fetch(server.url(), place=left.place).succeeded(OTHER)
    assert left.names() == []


def test_an_old_note_does_not_answer_for_a_leader_who_failed(fetch, server, left, crowd):
    leave_a_note(fetch, server, left, crowd)
    server.become(OTHER, 'ETag: "w"')
    opened = threading.Event()

    def refuse(server, request, connection):
        opened.wait(60)
        return answer("404 Not Found")

    server.script = [refuse]
    asked = len(server.asked)
    leader = fetch.start(server.url(), place=left.place)
    server.wait_for(lambda _: len(server.asked) == asked + 1)
    waiter = fetch.start(server.url(), place=left.place)
    wait_until(lambda: left.is_awaited_by(waiter))
    opened.set()
    assert outcome_of(leader).code == 78
    all_succeeded([waiter], left, OTHER)


def kill_traced(child):
    """And then strace, which would wait for the end of a delay."""
    status = pathlib.Path(f"/proc/{child.pid}/status").read_text(encoding="ascii")
    child.kill()
    os.kill(int(re.search(r"TracerPid:\s*(\d+)", status).group(1)), signal.SIGKILL)
    child.communicate()


def test_a_note_of_one_who_died_is_for_those_who_waited_and_nobody_later(fetch, server, left):
    """Killed after its note and before it lets go; others keep the file that it stands in."""
    require_program("strace")
    keeper = Leftovers(left.place, "other").hold()
    gate = Gate(3)
    server.become(b"hello", ETAG)
    server.script = [gate]
    fetch.wrapper = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-P", left.lock,
                     "-e", "trace=pwrite64", "-e", "inject=pwrite64:delay_exit=60000000"]
    leader = fetch.start(server.url(), place=left.place)
    wait_until(lambda: left.is_held_by(leader))
    fetch.wrapper = []
    waiter = fetch.start(server.url(), place=left.place)
    wait_until(lambda: left.is_awaited_by(waiter))
    gate.opened.set()
    wait_until(lambda: b"flnote1" in left.lock.read_bytes())
    assert left.is_held_by(leader) and left.is_awaited_by(waiter)
    kill_traced(leader)
    assert outcome_of(waiter).body == b"hello" and len(server.asked) == 1
    server.become(b"new", 'ETag: "w"')
    assert fetch(server.url(), place=left.place).body == b"new"
    assert b"flnote1" in left.lock.read_bytes()
    os.close(keeper)


def test_what_stands_in_the_lock_file_holds_up_nobody(fetch, server, left):
    left.lock.write_bytes(b"held by process 1\n" + bytes(300))
    begin = time.monotonic()
    fetch(server.url(), place=left.place).succeeded(BODY)
    assert time.monotonic() - begin < 2 + SLACK


def test_a_child_of_the_callers_keeps_no_lock(fetch, server, left):
    """The lock's descriptor goes to nobody (O_CLOEXEC)."""
    gate = Gate()
    server.script = [gate]
    child = fetch.start(server.url(), place=left.place)
    wait_until(left.state.exists)
    flags = {name: int(re.search(r"flags:\s*(\d+)", info).group(1), 8)
             for name, info in descriptors(child.pid)}
    ours = {name: flag for name, flag in flags.items() if name.startswith(str(left.place))}
    assert len(ours) >= 3 and all(flag & os.O_CLOEXEC for flag in ours.values()), flags
    gate.opened.set()
    assert outcome_of(child).code == 0
