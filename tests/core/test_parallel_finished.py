"""Long items: results as they come, one item a worker, items of a kind by the same one."""

from collections import deque
from concurrent.futures import Future

import pytest
from parallel_work import Squares, Unable

from corrosion_edge.parallel.finished import Finished
from corrosion_edge.parallel.processes import Processes
from corrosion_edge.parallel.workers import One, Workers


def squares(work, numbers, count=2):
    with Processes(count, work) as workers:
        return list(Finished(workers, numbers, blame=lambda n: -n, kind=lambda n: n % 3))


def test_every_item_gets_its_result():
    assert sorted(squares(Squares(), range(30))) == [n * n for n in range(30)]


def test_nothing_to_do_is_done():
    assert squares(Squares(), []) == []


def test_a_killed_worker_loses_nothing_and_its_item_comes_last(tmp_path):
    results = squares(Squares(deadly_once=frozenset({2}), notes=tmp_path), range(20))
    assert sorted(results) == [n * n for n in range(20)]
    assert results[-1] == 4


def test_an_item_that_kills_again_and_again_is_blamed():
    results = squares(Squares(deadly=frozenset({0, 7})), range(20))
    assert sorted(results) == sorted(-n if n in (0, 7) else n * n for n in range(20))


def test_an_error_of_the_work_reaches_whoever_waits():
    with pytest.raises(ValueError, match="no interpreter"):
        squares(Unable(), range(9))


class Hand(One[str, str]):
    """Does nothing until it is told to, and remembers."""

    def __init__(self, name: str, pending: "deque[tuple[Future[list[str]], list[str]]]") -> None:
        self.name, self.pending, self.had = name, pending, list[str]()

    def load(self) -> int:
        raise AssertionError("nobody asks")

    def close(self) -> None:
        pass

    def submit(self, items):
        future: Future[list[str]] = Future()
        self.had += items
        self.pending.append((future, list(items)))
        return future


class Hands(Workers[str, str]):
    """Whoever was given an item first ends it first."""

    lost = ()

    def __init__(self, count: int) -> None:
        self.pending: deque[tuple[Future[list[str]], list[str]]] = deque()
        self.each = [Hand(str(number), self.pending) for number in range(count)]


@pytest.mark.parametrize(
    ("items", "had"),
    [
        ("a1 a2 a3 a4 b1 b2 c1", ["a1 a2 a3 a4", "b1 b2 c1"]),
        ("a1 a2 a3 a4 b1", ["a1 a2 a4", "b1 a3"]),  # nothing else is left for the second
    ],
)
def test_items_of_a_kind_go_to_the_same_worker(monkeypatch, items, had):
    hands = Hands(2)

    def wait(futures, return_when):
        future, done = hands.pending.popleft()
        future.set_result(done)
        return {future}, None

    monkeypatch.setattr("corrosion_edge.parallel.finished.wait", wait)
    results = list(Finished(hands, items.split(), blame=str, kind=lambda item: item[0]))
    assert sorted(results) == sorted(items.split())
    assert [" ".join(hand.had) for hand in hands.each] == had
