import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

import tensorflow as tf

from corrosion_edge.errors import OutputError
from corrosion_edge.trainer.tensorboard import listener


def test_each_row_becomes_scalars_by_epoch(tmp_path):
    write = listener(tmp_path / "logs")
    write({"stage": 1.0, "strength": 0.1, "train_loss": 0.5})
    write({"stage": 1.0, "strength": 0.2, "train_loss": 0.4})
    write({"stage": 2.0, "epoch": 3.0, "train_loss": 0.25})
    (file,) = (tmp_path / "logs").glob("events.*")
    found = []
    for record in tf.data.TFRecordDataset(str(file)):
        event = tf.compat.v1.Event.FromString(record.numpy())
        for value in event.summary.value:
            assert value.metadata.plugin_data.plugin_name == "scalars"
            found.append((value.tag, event.step, float(tf.make_ndarray(value.tensor))))
    losses = [row for row in found if row[0].endswith("train_loss")]
    assert losses == [
        ("stage_1/train_loss", 1, 0.5),
        ("stage_1/train_loss", 2, pytest.approx(0.4)),
        ("stage_2/train_loss", 3, 0.25),
    ]


def test_nothing_is_written_without_a_folder_and_a_bad_one_is_refused(tmp_path):
    listener(None)({"stage": 1.0})
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        listener(tmp_path / "file")
