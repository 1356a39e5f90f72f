from click.testing import CliRunner
from storing import fill

from corrosion_edge.cli import cli
from corrosion_edge.device.store import Store
from corrosion_edge.device.telling.ledger import DELIVERIES, Ledger, Place, SetAside


def run(folder):
    return CliRunner().invoke(cli, ["events", "deliveries", str(folder)])


def test_how_far_each_has_got(tmp_path):
    with Store(tmp_path) as store:
        fill(store, 5)
        with Ledger(tmp_path) as ledger:
            ledger.note("mqtt", Place(5, "u", "h"))
            ledger.note("webhook", Place(3, "u", "h"), [SetAside(Place(2, "u", "h"), "says 400")])
        result = run(tmp_path)
    assert result.exit_code == 0, result.output
    mqtt, webhook, aside = result.stdout.splitlines()
    assert mqtt == "mqtt: up to event 5 of 5; 0 waiting, 0 set aside"
    assert webhook == "webhook: up to event 3 of 5; 2 waiting, 1 set aside"
    assert aside.startswith("  set aside 20") and aside.endswith(": event 2: says 400")


def test_where_nothing_is_delivered(tmp_path):
    with Store(tmp_path) as store:
        fill(store, 2)
    assert run(tmp_path).stdout == "nothing is delivered from this store; it has 2 events\n"
    assert not (tmp_path / DELIVERIES).exists()


def test_notes_that_are_damaged_are_left_as_they_are(tmp_path):
    with Store(tmp_path) as store:
        fill(store, 1)
    (tmp_path / DELIVERIES).write_bytes(b"no database" * 99)
    result = run(tmp_path)
    assert result.exit_code == 1
    assert "damaged" in result.stderr
    assert (tmp_path / DELIVERIES).read_bytes() == b"no database" * 99


def test_where_there_is_no_store(tmp_path):
    result = run(tmp_path)
    assert result.exit_code == 1
    assert "no event store" in result.stderr
