"""Logs for TensorBoard, written as training goes on."""

from collections.abc import Callable
from pathlib import Path

from corrosion_edge import output

__all__ = ["Listener", "listener"]

Listener = Callable[[dict[str, float]], None]


def listener(folder: Path | None) -> Listener:
    """What writes each row of the history to ``folder`` as scalars by epoch (or strength's place).

    Without a folder it does nothing. Raises OutputError if the folder cannot be written.
    """
    if folder is None:
        return lambda row: None
    import tensorflow as tf

    output.require_writable(folder)
    writer = tf.summary.create_file_writer(str(folder))
    steps: dict[float, int] = {}
    # The kind of summary that tf.summary.scalar writes; that function needs TensorBoard installed.
    kind = tf.compat.v1.SummaryMetadata(
        plugin_data=tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars"), data_class=1
    )

    def write(row: dict[str, float]) -> None:
        stage = row["stage"]
        steps[stage] = steps.get(stage, 0) + 1
        with writer.as_default(step=int(row.get("epoch", steps[stage]))):
            for name, value in row.items():
                if name not in ("stage", "epoch"):
                    tag = f"stage_{stage:.0f}/{name}"
                    tf.summary.write(tag, tf.constant(value, tf.float32), metadata=kind)
        writer.flush()

    return write
