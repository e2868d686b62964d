"""The same configuration in YAML, without YAML's traps."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from checkup.checkers.tcp import TcpChecker
from checkup.config import parse_yaml as parser
from checkup.config.parse_json import parse_json
from checkup.config.parse_yaml import parse_yaml
from checkup.config.source import ArrayNode, Diagnostics, Node, ObjectNode, ScalarStyle
from tests.config.world import Read, Refuse

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"]), max_size=10)
# A key is on one line, and to YAML these two end one.
KEYS = TEXTS.filter(lambda text: not {"\u2028", "\u2029"} & set(text))
VALUES = st.recursive(
    st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=15,
)


def shape(node: Node) -> Any:
    if isinstance(node, ObjectNode):
        return {member.key: shape(member.value) for member in node.members}
    if isinstance(node, ArrayNode):
        return [shape(item) for item in node.items]
    return node.text


@pytest.fixture(params=["fast", "pure"])
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read with libyaml and with PyYAML's own parser."""
    if request.param == "pure":
        monkeypatch.setattr(parser, "_LOADER", yaml.SafeLoader)


@given(VALUES)
def test_json_is_read_alike_by_both_readers(value: Any) -> None:
    text = json.dumps(value, indent=1, ensure_ascii=False)
    assert shape(parse_yaml(Diagnostics("f", text))) == shape(parse_json(Diagnostics("f", text)))


@given(VALUES)
def test_what_pyyaml_writes_is_read_back(value: Any) -> None:
    text = yaml.safe_dump(value, allow_unicode=True)
    expected = json.loads(json.dumps(value), parse_int=str)
    found = shape(parse_yaml(Diagnostics("f", text)))
    assert found == _as_texts(expected)


def _as_texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_texts(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_as_texts(part) for part in value]
    return value if isinstance(value, str) else json.dumps(value)


@pytest.mark.usefixtures("loader")
def test_words_mean_what_their_key_asks_for(read: Read) -> None:
    config = read(
        """
checkers:
  - type: tcp
    endpoint_name: no        # Norway
    endpoint_url: localhost:22
    group: on
    tags: [1.10, 0x10, ~, yes]
    tls: on
    tls_skip_verify: no
    attempts: 3
    timeout: 5s
    threshold_rtt: 1000000
""",
        suffix=".yaml",
    )
    (checker,) = config.checkers
    assert isinstance(checker, TcpChecker)
    assert (checker.title, checker.group) == ("no", "on")
    assert checker.tags == ("1.10", "0x10", "~", "yes")
    assert (checker.tls, checker.tls_skip_verify, checker.attempts) == (True, False, 3)
    assert (checker.timeout, checker.threshold_rtt) == (5_000_000_000, 1_000_000)
    assert config.warnings == ()


@pytest.mark.usefixtures("loader")
def test_quoted_values_are_texts(refuse: Refuse) -> None:
    problems = refuse("checkers:\n- {type: tcp, tls: 'on', attempts: \"3\"}\n", suffix=".yml")
    assert [(problem.line, problem.column) for problem in problems] == [(2, 20), (2, 36)]


@pytest.mark.usefixtures("loader")
def test_anchors_and_merges_save_writing(read: Read) -> None:
    config = read(
        """
x-usual: &usual {type: http, attempts: 2, endpoint_name: usual}
checkers:
  - <<: *usual
    endpoint_url: http://a
    endpoint_name: mine
  - <<: [*usual, {attempts: 7}]
    endpoint_url: http://b
""",
        suffix=".yaml",
    )
    assert [(checker.title, checker.attempts) for checker in config.checkers] == [
        ("mine", 2),
        ("usual", 2),
    ]
    assert config.warnings == ()


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        pytest.param("", (1, 1), "the file is empty", id="empty"),
        pytest.param("# nothing\n", (1, 1), "the file is empty", id="only-a-comment"),
        pytest.param("- type: http\n", (1, 1), "expected an object", id="list"),
        pytest.param("a: 1\n---\nb: 2\n", (2, 1), "more than one document", id="second-document"),
        pytest.param("a:\n\t- b\n", (2, 1), "invalid YAML", id="tab"),
        pytest.param("a: [1, 2\n", (2, 1), "invalid YAML", id="open-list"),
        pytest.param("a: b: c\n", (1, 5), "invalid YAML", id="two-colons"),
        pytest.param("a: *b\n", (1, 4), "unknown alias", id="alias-of-nothing"),
        pytest.param("a: &b [*b]\n", (1, 8), "unknown alias", id="alias-of-itself"),
        pytest.param(
            "a: !!python/object:os.system x\n", (1, 4), "unexpected YAML tag", id="python-tag"
        ),
        pytest.param(
            "a: !!python/name:os.system\n", (1, 4), "unexpected YAML tag", id="python-name"
        ),
        pytest.param("a: !secret {b: c}\n", (1, 4), "unexpected YAML tag", id="own-tag"),
        pytest.param("? [a]\n: b\n", (1, 3), "key is not a string", id="list-as-key"),
        pytest.param("<<: 5\n", (1, 1), "<< merges objects only", id="merged-number"),
        pytest.param("a: " + "[" * 101, (1, 103), "more than 100", id="too-deep"),
        pytest.param("a: " + "[" * 100_000, (1, 103), "more than 100", id="much-too-deep"),
        pytest.param("a: \x01\n", (1, 4), "control character", id="control-character"),
    ],
)
def test_what_is_not_wanted_is_refused_with_its_place(
    refuse: Refuse, text: str, place: tuple[int, int], said: str
) -> None:
    (problem,) = refuse(text, suffix=".yaml")
    assert said in problem.text
    assert (problem.line, problem.column) == place


@pytest.mark.usefixtures("loader")
def test_aliases_of_aliases_do_not_explode(refuse: Refuse) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    (problem,) = refuse("\n".join(lines), suffix=".yaml")
    assert "aliases expand to more than" in problem.text


def test_a_byte_order_mark_is_fine_in_yaml(read: Read) -> None:
    assert read("\ufeffcheckers: []\n", suffix=".yaml").checkers == ()


@given(VALUES)
def test_every_node_stands_where_it_says(value: Any) -> None:
    text = yaml.safe_dump({"é😀": value}, allow_unicode=True)
    pending: list[Node] = [parse_yaml(Diagnostics("f", text))]
    while pending:
        node = pending.pop()
        if isinstance(node, ArrayNode):
            pending += node.items
        elif isinstance(node, ObjectNode):
            pending += [member.value for member in node.members]
        elif node.form is ScalarStyle.PLAIN and " " not in node.text:
            assert text.startswith(node.text, node.offset)
