"""``watch``, ``classify`` and ``benchmark`` on the stand-in for the Edge TPU, with its faults."""

import json
import signal
import socket
import time

import pytest
from commands import run
from watching import accepted, event, verdict, watching

from corrosion_edge.bundle import Bundle
from corrosion_edge.device.accelerator.delegate import LIBRARY
from corrosion_edge.device.store.reader import Reader
from corrosion_edge.errors import GateError


def test_a_live_camera_drops_frames_until_the_device_is_back(words, device, live, tmp_path):
    store = tmp_path / "store"
    with watching(*words, *live, "--store", store) as watch:
        watch.until(3, verdict)
        device.unplug()
        watch.until(1, event("lost"))
        device.does("ok")
        seen = watch.until(1, event("recovered"))
        assert not any(map(verdict, seen)), "a verdict while the device was away"
        after = watch.until(2, verdict)
        told = watch.end()
    assert all("Edge TPU" in line["backend"] for line in after if verdict(line))
    account = next(line for line in told.splitlines() if line.startswith("frames: "))
    assert not account.endswith("; 0 dropped")
    with Reader(store) as reader:
        events = {each.fields["kind"]: each.fields for each in reader.events()}
    assert "the fake device is gone" in events["accelerator_lost"]["reason"]
    assert events["accelerator_lost"]["details"]["backend"] is None
    assert "Edge TPU" in events["accelerator_recovered"]["details"]["backend"]


def test_a_folder_waits_and_loses_nothing(words, device, folder):
    with watching(*words, "--camera", folder, "--no-quality", "--interval", "0.2") as watch:
        watch.until(1, verdict)
        device.does("invoke-error")
        watch.until(1, event("lost"))
        device.does("ok")
        assert watch.process.wait(60) == 0
    paths = [line["path"] for line in watch.lines if verdict(line)]
    assert paths == sorted(map(str, folder.glob("*.png")))


def test_the_cpu_stands_in_only_where_allowed_and_every_line_says_so(words, device, live):
    with watching(*words, *live, "--fallback", "cpu") as watch:
        watch.until(2, verdict)
        device.unplug()
        watch.until(1, event("replaced"))
        watch.until(3, verdict)
        device.does("ok")
        watch.until(1, event("recovered"))
        watch.until(2, verdict)
        watch.end()
    marked = [line for line in watch.lines if verdict(line) or "event" in line]
    replaced = next(n for n, line in enumerate(marked) if event("replaced")(line))
    back = next(n for n, line in enumerate(marked) if event("recovered")(line))
    for number, line in enumerate(marked):
        if verdict(line):
            assert ("in place of" in line["backend"]) == (replaced < number < back)


def test_events_say_that_the_cpu_judged_and_which_network(words, models, device, tmp_path):
    device.unplug()
    result = run("watch", *words, "--camera", "demo", "--frames", "2", "--fallback", "cpu",
                 "--json", "--store", tmp_path / "ev", "--enter", "0", "--leave", "0",
                 "--smooth", "1/1")  # fmt: skip
    assert result.exit_code == 0, result.output
    told = {line["event"]: line for line in map(json.loads, result.stdout.splitlines())
            if "event" in line}  # fmt: skip
    compiled = Bundle.load(models / "net_edgetpu.tflite").manifest
    for kind in ("started", "accelerator_replaced", "corrosion_began", "corrosion_ended"):
        assert told[kind]["backend"].endswith("in place of the Edge TPU"), kind
        assert told[kind]["model_sha256"] == compiled.compiled.source_sha256


def test_people_read_it_on_every_line_too(words, device):
    device.unplug()
    result = run("watch", *words, "--camera", "demo", "--frames", "2", "--fallback", "cpu")
    assert result.exit_code == 0, result.output
    assert all(line.endswith("  [CPU in place of the accelerator]")
               for line in result.stdout.splitlines())  # fmt: skip
    assert "Edge TPU, through libfake.so replaced: " in result.stderr


def test_without_an_edge_tpu_there_are_no_verdicts(words, device):
    device.unplug()
    result = run("watch", *words, "--camera", "demo", "--frames", "2")
    assert result.exit_code == 1
    assert "found no Edge TPU" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("word", ["abort", "segv", "invoke-abort"])
def test_a_library_that_crashes_ends_a_child_not_the_watch(words, device, word):
    device.does(word)
    result = run("watch", *words, "--camera", "demo", "--frames", "2")
    assert result.exit_code == 1
    assert "ended its process with SIG" in result.stderr


def test_another_model_on_the_same_device_and_one_on_the_cpu(
    library, device, live, models, tmp_path
):
    """The device is this process's: the new model is opened beside the old one, without a try."""
    model = tmp_path / "net.tflite"
    (tmp_path / LIBRARY).symlink_to(library)  # under its own name: one on the CPU needs no other
    found = {"LD_LIBRARY_PATH": str(tmp_path)}

    def put(bundle):
        bundle.save(tmp_path / "new")
        (tmp_path / "new").rename(model)

    compiled = Bundle.load(models / "net_edgetpu.tflite")
    put(compiled)
    with watching("--model", model, *live, environment=found) as watch:
        watch.until(1, verdict)
        put(compiled.with_fields(threshold=0.25))
        watch.process.send_signal(signal.SIGHUP)
        (changed,) = filter(accepted, watch.until(1, accepted))
        assert changed["warnings"] == []
        watch.until(1, lambda line: line.get("threshold") == 0.25 and "Edge TPU" in line["backend"])
        put(Bundle.load(models / "net.tflite"))
        watch.process.send_signal(signal.SIGHUP)
        (changed,) = filter(accepted, watch.until(1, accepted))
        assert "CPU" in changed["warnings"][0].partition(", the one before on ")[0]
        watch.until(2, lambda line: "CPU" in line.get("backend", ""))
        watch.end()


@pytest.fixture
def replaceable(models, tmp_path):
    """A compiled model's file, and what puts one with another threshold in its place."""
    model = tmp_path / "net.tflite"
    compiled = Bundle.load(models / "net_edgetpu.tflite")

    def put(**fields):
        compiled.with_fields(**fields).save(tmp_path / "new")
        (tmp_path / "new").rename(model)

    put()
    return model, put


def test_a_model_put_in_place_while_the_device_is_away_waits_for_it(
    words, device, live, replaceable
):
    model, put = replaceable
    with watching("--model", model, *words[2:], *live) as watch:
        watch.until(1, verdict)
        device.unplug()
        watch.until(1, event("lost"))
        put(threshold=0.25)
        *_, refused = watch.until(1, lambda line: line.get("event") == "model_refused")
        assert refused["reason"].endswith("; it is tried again when the accelerator is back")
        device.does("ok")
        *_, changed = watch.until(1, accepted)
        assert changed["warnings"] == []
        *_, first = watch.until(1, lambda line: line.get("threshold") == 0.25)
        assert "Edge TPU" in first["backend"]
        watch.end()
    assert sum(map(event("recovered"), watch.lines)) == 1


def test_a_model_put_in_place_is_stood_in_for_where_that_is_allowed(
    words, device, live, models, replaceable
):
    model, put = replaceable
    spare = ("--fallback", "cpu", "--fallback-model", models / "net.tflite")
    with watching("--model", model, *words[2:], *live, *spare) as watch:
        watch.until(1, verdict)
        device.unplug()
        watch.until(1, event("replaced"))
        put(threshold=0.25)
        *_, changed = watch.until(1, accepted)
        (warning,) = changed["warnings"]
        assert warning.startswith("the CPU answers in place of the Edge TPU, through libfake.so: ")
        watch.until(1, event("replaced"))
        *_, first = watch.until(1, lambda line: line.get("threshold") == 0.25)
        assert first["backend"].endswith("in place of the Edge TPU")
        device.does("ok")
        watch.until(1, event("recovered"))
        watch.until(1, lambda line: "in place" not in line.get("backend", "in place"))
        watch.end()


def test_a_hang_in_the_running_device_stops_the_pings(words, device, tmp_path):
    """Nothing in this process can end it: the watchdog outside has to."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(60)
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "600000"}
        with watching(*words, "--camera", "demo", environment=environment) as watch:
            while b"WATCHDOG=1" not in listener.recv(4096):
                pass
            device.does("invoke-hang")
            listener.settimeout(3)  # five times the watchdog's time
            with pytest.raises(TimeoutError):
                end = time.monotonic() + 60
                while time.monotonic() < end:
                    listener.recv(4096)
            assert watch.process.poll() is None


def test_classify_says_what_it_ran_on_and_ends_with_an_error(words, device, folder):
    result = run("classify", folder / "0.png", "--json", *words)
    assert "Edge TPU" in json.loads(result.stdout)["backend"]
    device.does("invoke-error")
    result = run("classify", folder / "0.png", *words)
    assert result.exit_code == 1
    assert "the fake device is gone" in result.stderr


def test_benchmark_runs_on_it_and_its_report_says_so(words, device):
    _, model, *rest = words
    how = ("--runs", 3, "--threads", 1, "--size", "64x48", "--json", "-")
    result = run("benchmark", model, *rest, *how)
    assert result.exit_code == GateError.exit_code, result.output  # void: three runs are too few
    (measured,) = json.loads(result.stdout)["results"]
    assert all("Edge TPU" in part["backend"] for part in measured["rounds"])
    assert {part["xnnpack"] for part in measured["rounds"]} == {"unavailable"}
    device.does("segv")
    result = run("benchmark", model, *rest, *how)
    assert result.exit_code == 1
    assert "SIGSEGV" in result.stderr


def test_benchmark_never_calls_the_cpu_an_edge_tpu(models, library, device):
    result = run("benchmark", models / "net.tflite", "--accelerator", "edgetpu", "--delegate",
                 library, "--runs", 1)  # fmt: skip
    assert result.exit_code == 1
    assert "not compiled for the Edge TPU" in result.stderr
    assert "--fallback" not in run("benchmark", "--help").stdout
