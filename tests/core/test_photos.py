from corrosion_edge.photos import find_photos


def test_junk_is_passed_over_and_counted(tmp_path):
    for name in ("b.JPG", "a.png", "._a.png", ".DS_Store", "notes.txt", "deep/er/c.webp"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "d.jpg").write_bytes(b"x")
    listing = find_photos(tmp_path)
    assert [p.relative_to(tmp_path).as_posix() for p in listing.photos] == [
        "a.png",
        "b.JPG",
        "deep/er/c.webp",
    ]
    assert listing.passed_over == {
        "AppleDouble files": 1,
        "hidden files": 1,
        "files that are no images": 1,
    }
    assert "passed over: 1 AppleDouble files" in str(listing)


def test_a_loop_of_links_ends(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.jpg").write_bytes(b"x")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    assert len(find_photos(tmp_path).photos) == 1
