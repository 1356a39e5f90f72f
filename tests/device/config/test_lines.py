"""On which line a key stands."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from corrosion_edge.device.config.lines import key_lines, line_of

DOCUMENT = '''\
# [not.a.table]
top = """
[no.table]
key = 1 \\""" still
"""
'quoted key' = 1

[watch]   # a comment with = and "
a = [
  "x", # ] not the end
  "]",
]
b.c = { d = 1, e = "}" }
literal = \'\'\'
[no]
x = 1
\'\'\'
"dotted.name" = '# no comment'
after = 3
[ camera . "front left" ]
source = "demo"
[[list]]
x = 1
[[list]]
x = 2
four = """x\\""""
five = 1
'''


def test_a_document_with_every_trap():
    assert tomllib.loads(DOCUMENT)
    assert key_lines(DOCUMENT) == {
        ("top",): 2, ("quoted key",): 6, ("watch",): 8, ("watch", "a"): 9, ("watch", "b"): 13,
        ("watch", "b", "c"): 13, ("watch", "literal"): 14, ("watch", "dotted.name"): 18,
        ("watch", "after"): 19, ("camera",): 20, ("camera", "front left"): 20,
        ("camera", "front left", "source"): 21, ("list",): 22, ("list", "x"): 23,
        ("list", "four"): 26, ("list", "five"): 27,
    }  # fmt: skip


def test_what_is_nowhere_is_where_the_table_above_it_is():
    lines = key_lines("[a]\nb = {c = 1}\n")
    assert line_of(lines, ("a", "b", "c")) == 2
    assert line_of(lines, ("x", "y")) == 1


def test_an_empty_document_has_no_keys():
    assert key_lines("") == key_lines("\n# x = 1\n\n") == {}


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1)
VALUES = st.sampled_from(
    ["1", '"#="', "'['", '"""\n[x]\ny = 1\n"""', "'''\n\"\n'''", "[\n1, # ]\n2,\n]", "{ a = 1 }",
     '["""\n"""]', "1.5", "true", r'"\""', r'"\\"', '""""a"""', "'''a''''", "2026-01-01"]
)  # fmt: skip
GAPS = st.sampled_from(["", "\n", "# c = 1\n", "  \n\t\n", '# [x]\n# """\n'])


@given(st.dictionaries(NAMES, st.tuples(VALUES, GAPS), max_size=6))
def test_every_key_of_any_document(entries):
    import json

    text, expected = "[t]\n", {}
    for name, (value, gap) in entries.items():
        text += gap
        expected["t", name] = text.count("\n") + 1
        quoted = json.dumps(name, ensure_ascii=False).replace("\x7f", "\\u007f")
        text += f"{quoted} = {value}  # end\n"
    assert set(tomllib.loads(text)["t"]) == set(entries)
    found = key_lines(text)
    assert {path: line for path, line in found.items() if len(path) == 2} == expected


@given(st.text(st.sampled_from("[]{}=\"'#\n\\ab.1, "), max_size=40))
def test_whatever_tomllib_reads_has_its_keys_found(text):
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert {path[0] for path in key_lines(text)} == set(document)
