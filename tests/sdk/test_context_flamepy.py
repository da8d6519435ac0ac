# SPDX-License-Identifier: Apache-2.0
"""The same flame.yaml and the same variables, read by flamepy and by us: the same context, but for
the differences that have a name and a test here."""
import json
import os
import pathlib
import random
import subprocess

import pytest

from support.flamepy_script import run_flamepy
from support.peers import require_module

DRIVER = pathlib.Path(os.environ["FLAME_BINARY_DIR"]) / "bin" / "context_driver"
DEFAULT_EXCLUDES = [".venv", "__pycache__", ".gitignore", "*.pyc"]
DEFAULT_CACHE = "grpc://127.0.0.1:9090"
VARIABLES = ["FLAME_ENDPOINT", "FLAME_CACHE_ENDPOINT", "FLAME_CACHE_STORAGE", "FLAME_CA_FILE",
             "FLAME_CERT_FILE", "FLAME_KEY_FILE"]
CASES = 120

SCRIPT = """
from flamepy.core.types import FlameContext, FlameError
def ca_file(tls):
    return tls.ca_file if tls else None
def facts(case):
    for name in [name for name in os.environ if name.startswith("FLAME_")]:
        del os.environ[name]
    os.environ |= case["variables"] | {"HOME": case["home"]}
    try:
        context = FlameContext()
    except FlameError as error:
        return {"error": error.message}
    except Exception as error:
        return {"crash": type(error).__name__}
    package = context.package
    return {"cluster.endpoint": context.endpoint, "cluster.tls.ca_file": ca_file(context.tls),
            "cache.endpoint": context.cache_endpoint,
            "cache.tls.ca_file": ca_file(context.cache_tls),
            "cache.storage": context.cache.storage,
            "package.storage": package.storage if package else None,
            "package.excludes": sorted(package.excludes) if package else None,
            "runner.template": context.runner.template}
tell(facts=[facts(case) for case in json.load(open("cases.json"))])
"""


def case_of(directory, text, **variables):
    """A home with this flame.yaml (None = without one)."""
    folder = directory / ".flame"
    folder.mkdir(parents=True)
    if text is not None:
        (folder / "flame.yaml").write_text(text, encoding="utf-8")
    return {"home": str(directory), "variables": variables, "text": text}


def theirs(cases, tmp_path):
    (tmp_path / "cases.json").write_text(json.dumps(cases))
    return run_flamepy(SCRIPT, "grpc://127.0.0.1:1", tmp_path, PYTHONUTF8="1")["facts"]


def ours(case):
    """name -> value; a list for the excludes."""
    variables = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    done = subprocess.run([DRIVER], capture_output=True, text=True, timeout=60, check=False,
                          encoding="utf-8",
                          env=variables | case["variables"] | {"HOME": case["home"]})
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert rows and done.stderr == "", done.stderr
    found = {name: value for name, source, value in rows if source != "item"}
    found["package.excludes"] = [value for _, source, value in rows if source == "item"]
    assert (done.returncode == 0) == ("error" not in found)
    return found


def only(tmp_path, text, **variables):
    """(theirs, ours) of one case."""
    case = case_of(tmp_path / "home", text, **variables)
    return theirs([case], tmp_path)[0], ours(case)


# ---- generated cases -----------------------------------------------------------------------------

def some(dice, **members):
    """Each member with a chance; the values are functions."""
    return {name: make() for name, make in members.items() if dice.random() < 0.75}


def or_null(dice, value):
    return value if dice.random() < 0.75 else None


def word(dice):
    return dice.choice(["/etc/flame/ca.pem", "a b", "it's # not: a comment", "jörg/包", "- dash",
                        "\"quoted\"", "{brace", "null-ish", "x" * 300, "*.log", "%25"])


def endpoint(dice):
    scheme = dice.choice(["grpc", "grpcs", "http", "https"])
    return f"{scheme}://host{dice.randrange(9)}.example.org:{dice.randrange(1, 65535)}"


def tls_of(dice):
    return some(dice, ca_file=lambda: or_null(dice, word(dice)),
                cert_file=lambda: word(dice), key_file=lambda: word(dice))


def context_of(dice, name):
    """What Flame itself would accept; sections that may be null are, at times."""
    sections = some(
        dice,
        workspace=lambda: word(dice),
        cluster=lambda: some(dice, endpoint=lambda: or_null(dice, endpoint(dice)),
                             tls=lambda: or_null(dice, tls_of(dice))),
        cache=lambda: or_null(dice, some(dice, endpoint=lambda: or_null(dice, endpoint(dice)),
                                         tls=lambda: or_null(dice, tls_of(dice)),
                                         storage=lambda: word(dice))),
        package=lambda: some(dice, storage=lambda: endpoint(dice),
                             excludes=lambda: [word(dice) for _ in range(dice.randrange(5))]),
        runner=lambda: or_null(dice, some(dice, template=lambda: word(dice))),
        unknown=lambda: {"a": [1, {"b": None}]})
    members = list(sections.items()) + [("name", name)]
    dice.shuffle(members)
    return dict(members)


def generated(dice, directory):
    names = dice.sample(["flame", "lab", "staging", "home"], dice.randrange(1, 4))
    file = {"current-context": dice.choice(names), "contexts": [context_of(dice, n) for n in names]}
    broken = dice.random()
    if broken < 0.08:
        file["current-context"] = "nobody"
    elif broken < 0.14:
        file.pop(dice.choice(["current-context", "contexts"]))
    text = require_module("yaml").safe_dump(
        file, allow_unicode=dice.random() < 0.5, sort_keys=dice.random() < 0.5,
        default_flow_style=dice.choice([True, False, None]), default_style=None,
        width=dice.choice([20, 80, 1000]), explicit_start=dice.random() < 0.5)
    variables = {name: dice.choice([word(dice), endpoint(dice)]) for name in VARIABLES
                 if dice.random() < 0.4}
    return case_of(directory, None if dice.random() < 0.1 else text, **variables)


def chosen(case):
    """The section `package` that applies, as the file says it; None = there is none."""
    if case["text"] is None:
        return None
    file = require_module("yaml").safe_load(case["text"])
    return next(entry for entry in file["contexts"]
                if entry["name"] == file["current-context"]).get("package")


def expected(case, facts):
    """What flamepy says, with the named differences: see the tests below."""
    facts = {name: value for name, value in facts.items() if value is not None}
    if facts["cache.endpoint"] == DEFAULT_CACHE:
        del facts["cache.endpoint"]
    own = (chosen(case) or {}).get("excludes", [])
    facts["package.excludes"] = sorted({*DEFAULT_EXCLUDES, *own})
    return facts


def test_generated_contexts_are_what_flamepy_makes_of_them(tmp_path):
    dice = random.Random(6)
    cases = [generated(dice, tmp_path / str(number)) for number in range(CASES)]
    answers = theirs(cases, tmp_path)
    failed = sum("error" in facts for facts in answers)
    assert 10 <= failed <= CASES // 2, "the cases say nothing"
    for case, facts in zip(cases, answers):
        found = ours(case)
        assert "crash" not in facts, case
        if "error" in facts:
            assert found["error"] and "current-context" in found["error"], case
            continue
        found = {name: value for name, value in found.items()
                 if name != "current-context" and not name.endswith(("cert_file", "key_file"))}
        found["package.excludes"] = sorted(found["package.excludes"])
        assert found == expected(case, facts), case


# ---- what differs, by name -----------------------------------------------------------------------

HEAD = "current-context: a\ncontexts:\n- name: a\n"


def test_the_default_cache_is_flamepys_alone(tmp_path):
    flamepy, found = only(tmp_path, None)
    assert flamepy["cache.endpoint"] == DEFAULT_CACHE
    assert "cache.endpoint" not in found


def test_a_package_with_only_excludes_counts(tmp_path):
    flamepy, found = only(tmp_path, HEAD + "  package: {excludes: ['*.log']}\n")
    assert flamepy["package.excludes"] is None
    assert found["package.excludes"] == DEFAULT_EXCLUDES + ["*.log"]


def test_the_default_excludes_need_no_package_section(tmp_path):
    flamepy, found = only(tmp_path, HEAD)
    assert flamepy["package.excludes"] is None
    assert found["package.excludes"] == DEFAULT_EXCLUDES


def test_an_empty_variable_is_an_unset_one(tmp_path):
    flamepy, found = only(tmp_path, HEAD + "  cluster: {endpoint: 'http://b:1'}\n",
                          FLAME_ENDPOINT="", FLAME_CA_FILE="")
    assert flamepy["cluster.endpoint"] == flamepy["cluster.tls.ca_file"] == ""
    assert found["cluster.endpoint"] == "http://b:1"
    assert "cluster.tls.ca_file" not in found


def test_an_empty_text_is_an_unset_one(tmp_path):
    flamepy, found = only(tmp_path, HEAD + "  cache: {tls: {ca_file: ''}}\n", FLAME_CA_FILE="/ca")
    assert flamepy["cache.tls.ca_file"] == ""
    assert found["cache.tls.ca_file"] == "/ca"


def test_numbers_are_text(tmp_path):
    flamepy, found = only(tmp_path, HEAD + "  runner: {template: 010}\n")
    assert flamepy["runner.template"] == 8
    assert found["runner.template"] == "010"


@pytest.mark.parametrize("text", [HEAD + "  cluster:\n",
                                  HEAD + "  package: {storage: a, excludes: }\n"])
def test_a_null_that_flamepy_falls_over_is_unset(tmp_path, text):
    flamepy, found = only(tmp_path, text)
    assert "crash" in flamepy
    assert "error" not in found


@pytest.mark.parametrize("text", [
    HEAD + "  runner: {template: b}\n  runner: {template: c}\n",
    HEAD + "  runner: &r {template: b}\n  other: {<<: *r}\n",
    HEAD + "  runner: {template: !!str b}\n",
    HEAD + "  runner: {template: [b]}\n",
    HEAD + "  runner: {template: \"b\\n\"}\n",
    HEAD + "-\n"], ids=["key-twice", "merge", "tag", "list", "control", "later-entry"])
def test_what_we_refuse_and_flamepy_takes(tmp_path, text):
    flamepy, found = only(tmp_path, text)
    assert flamepy["runner.template"]
    assert found["error"].startswith(str(tmp_path))


def test_both_refuse(tmp_path):
    texts = ["", "a: [", "- a\n", HEAD + "---\na: b\n", "current-context: a\ncontexts: a\n",
             "current-context: a\ncontexts: [{cache: {}}]\n", HEAD + "  cache: grpc://a:1\n"]
    cases = [case_of(tmp_path / str(number), text) for number, text in enumerate(texts)]
    for case, facts in zip(cases, theirs(cases, tmp_path)):
        assert {"error", "crash"} & facts.keys(), case
        assert ours(case)["error"], case
