"""What Home Assistant is told: as written down, and as its templates read it."""

import json
from pathlib import Path

import jinja2
import pytest

from corrosion_edge import __version__
from corrosion_edge.device.accelerator.runs_on import RunsOn
from corrosion_edge.device.events.following import Following
from corrosion_edge.device.events.settings import Detection
from corrosion_edge.device.telling.mqtt.broker import Topics
from corrosion_edge.device.telling.mqtt.discovery import Discovery
from corrosion_edge.device.telling.mqtt.live import Live, Running
from corrosion_edge.errors import UsageError

GOLDEN = Path(__file__).with_name("discovery.json")
TOPICS = Topics("corrosion-edge/pi-7")


def messages(**how):
    made = Discovery(TOPICS, ("gate", "demo, a clip"), "pi-7", **how)
    return {topic: json.loads(text) for topic, text in made.messages("a model")}


def test_as_written_down():
    golden = json.loads(GOLDEN.read_text().replace("VERSION", __version__))
    assert messages() == golden


def test_another_prefix():
    assert {topic.split("/")[0] for topic in messages(prefix="ha")} == {"ha"}
    assert Discovery(TOPICS, (), "pi", "ha").birth == "ha/status"
    with pytest.raises(UsageError):
        Discovery(TOPICS, (), "pi", "ha/#")


def test_ids_are_unique_and_all_of_one_camera_are_one_device():
    all_of_them = messages()
    assert len({config["unique_id"] for config in all_of_them.values()}) == len(all_of_them) == 10
    assert len({config["device"]["identifiers"][0] for config in all_of_them.values()}) == 3


def shown(entity, **state):
    """The entity's state as Home Assistant would compute it."""
    base = {"corrosion": None, "verdict": None, "score": None, "unusable": None, "state": "running"}
    (template,) = [config["value_template"] for topic, config in messages().items()
                   if topic.endswith(f"gate/{entity}/config")]  # fmt: skip
    return jinja2.Environment().from_string(template).render(value_json={**base, **state})


@pytest.mark.parametrize(("corrosion", "expected"), [(True, "ON"), (False, "OFF"), (None, "None")])
@pytest.mark.parametrize("verdict", ["corrosion", "no-corrosion", "unsure", "unusable", None])
def test_corrosion_is_what_is_smoothed_on_off_or_unknown(corrosion, verdict, expected):
    assert shown("corrosion", corrosion=corrosion, verdict=verdict) == expected
    assert shown("frame", corrosion=corrosion, verdict=verdict) == (verdict or "None")


@pytest.mark.parametrize(("score", "expected"), [(0.25, "0.25"), (0.0, "0.0"), (None, "None")])
def test_the_score(score, expected):
    assert shown("score", score=score) == expected


@pytest.mark.parametrize(
    ("state", "unusable", "expected"),
    [("running", None, "OFF"), ("starting", None, "OFF"), ("running", "dark", "ON"),
     ("lost", None, "ON"), ("frozen", None, "ON"), ("degraded", None, "ON"), ("ended", None, "ON")],
)  # fmt: skip
def test_the_problem(state, unusable, expected):
    assert shown("problem", state=state, unusable=unusable) == expected


@pytest.mark.parametrize(
    ("runs", "word", "problem"),
    [(RunsOn("cpu", "a"), "CPU", "OFF"),
     (RunsOn("edgetpu", "a", "Edge TPU"), "Edge TPU", "OFF"),
     (RunsOn("cpu", "a", "Edge TPU", "gone"), "CPU in place of the Edge TPU", "ON"),
     (RunsOn("nothing", "a", "Edge TPU", "gone"), "nothing", "ON")],
)  # fmt: skip
def test_what_the_model_runs_on(runs, word, problem):
    told = Live(
        ("gate",),
        lambda: Running("a model", "", runs),
        Following(("gate",), Detection.for_model, 0.5, None),
    ).watch_due()
    said = {topic.split("/")[3]: jinja2.Environment().from_string(config["value_template"])
            .render(value_json=told) for topic, config in messages().items()
            if config["state_topic"] == TOPICS.watch}  # fmt: skip
    assert said == {"runs-on": word, "accelerator": problem}
