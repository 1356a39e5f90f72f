import pytest

from corrosion_edge.errors import OutputError
from corrosion_edge.trainer.work import folder_beside


def test_the_working_folder_is_found_again_after_a_kill_and_gone_after_success(tmp_path, capsys):
    out = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt), folder_beside(out, {"seed": 1}) as folder:
        (folder / "stage-1.npz").write_text("done: 3")
        raise KeyboardInterrupt
    assert folder.parent == tmp_path
    with folder_beside(out, {"seed": 1}) as again:
        assert again == folder
        assert (again / "stage-1.npz").read_text() == "done: 3"
    assert f"going on with the unfinished run in {folder}" in capsys.readouterr().err
    assert not folder.exists()


def test_work_of_another_run_is_neither_used_nor_removed(tmp_path):
    out = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt), folder_beside(out, {"seed": 1, "data": "a"}) as folder:
        (folder / "stage-1.npz").write_text("")
        raise KeyboardInterrupt
    with (
        pytest.raises(OutputError, match="an unfinished run with another seed was left in"),
        folder_beside(out, {"seed": 2, "data": "a"}),
    ):
        pass
    assert folder.exists()
    (folder / "plan.json").write_text("{")
    with (
        pytest.raises(OutputError, match="another seed, data"),
        folder_beside(out, {"seed": 2, "data": "a"}),
    ):
        pass


def test_an_error_before_anything_was_trained_leaves_nothing(tmp_path):
    with pytest.raises(OutputError), folder_beside(tmp_path / "run", {}) as folder:
        (folder / "views").mkdir()
        raise OutputError("disk full")
    assert list(tmp_path.iterdir()) == []
