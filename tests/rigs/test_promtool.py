"""The metrics, as Prometheus' own checker reads them."""

import subprocess
from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pytest
import rig
from losable import Losable, Named

pytest.importorskip("prometheus_client", reason="the extra web is not installed")

from corrosion_edge.bundle import Bundle
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.device.outlets import Watched
from corrosion_edge.device.store import Store
from corrosion_edge.device.verdict import Verdict
from corrosion_edge.device.web.live import Live
from corrosion_edge.device.web.metrics import Metrics
from corrosion_edge.device.web.view import View
from corrosion_edge.frame import Frame
from corrosion_edge.prediction import Prediction


def check(text):
    """Exit code and what it complains of."""
    program = rig.require("promtool") / "promtool"
    done = subprocess.run([program, "check", "metrics"], input=text, capture_output=True)
    return done.returncode, (done.stdout + done.stderr).decode()


@pytest.mark.parametrize("lost", [False, True])
def test_the_metrics_are_as_prometheus_wants_them(tmp_path, lost):
    bundle = Bundle.seal(b"\0\0\0\0TFL3fake", {}, name='a "model"', outputs={"scores": "a"})
    losable = Losable(Named("tpu"))
    runs = SimpleNamespace(classifier=Classifier(bundle, losable.backend))
    live = Live(("gate", "deck"))
    frame = Frame(np.zeros((8, 8, 3), np.uint8), 0, datetime.now(UTC), camera="gate")
    live.take(Verdict(frame, Prediction(0.9, 0.5), 3.0))
    if lost:
        for state in losable.lose():
            live.take(state)
    with Store(tmp_path / "store") as store:
        text = Metrics(View.of(Watched(runs, live.cameras, store.folder), live)).text()
    assert b"corrosion_edge_accelerator_up" in text
    assert check(text) == (0, "")


def test_it_would_complain():
    code, said = check(b"# HELP a_total x\n# TYPE a_total gauge\na_total 1\n")
    assert code != 0
    assert "a_total" in said
