# SPDX-License-Identifier: Apache-2.0
"""As test_no_memory, for the verbs that need the SDK."""
import hashlib

import pytest

import test_no_memory
from sdk.command import User, caches  # noqa: F401
from test_no_memory import BODY, Sweep

pytestmark = test_no_memory.pytestmark


@pytest.fixture
def user(tmp_path):
    made = User(tmp_path)
    made.has_context(excludes=["*.log"], ca_file="/etc/ca.pem")
    return made


@pytest.fixture
def source(tmp_path):
    (tmp_path / "source").write_bytes(BODY)
    return tmp_path / "source"


@pytest.mark.parametrize("arguments", [["context"], ["context", "--json"]], ids=" ".join)
def test_83_no_line_of_the_context_is_lost_by_a_lack_of_memory(user, arguments):
    Sweep(user, arguments, ours=1).over_all()


def test_83_the_answer_for_a_url_is_whole_or_an_error(user):
    class Answer(Sweep):
        """The error is said on standard output, or there is no room for it either."""
        is_json = property(lambda self: False, lambda self, value: None)  # it is no event

        def is_clean(self, outcome):
            return self.is_expected(outcome.code, "") and self.whole.stdout != outcome.stdout

    Answer(user, ["context", "--json", "--for", "grpcs://cache:9090"], ours=1).over_all()


def test_83_no_allocation_of_a_publication_can_fail_unclean(user, tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "package.zip").write_bytes(BODY)
    Sweep(user, ["publish", "app", tmp_path / "package.zip", "--storage",
                 f"file://{tmp_path}/store"], ours=1).over_all()
    [stored] = (tmp_path / "store" / "app" / "pkg").iterdir()
    assert stored.name == f"app-{hashlib.sha256(BODY).hexdigest()[:16]}.zip"
    assert stored.read_bytes() == BODY


def test_83_no_allocation_of_asking_the_helper_can_fail_unclean(user, caches, certificates, source):
    """The helper fails in the same way, at its own allocation of that number."""
    cache = caches(tls=True)
    user.has_context(ca_file=certificates.path("ca"))
    url = f"{cache.url}/app/ssn/x"
    assert user("put", source, url).code == 0

    class Asking(Sweep):
        def is_expected(self, code, line):
            """Without memory to begin with, the helper ends before it can say so."""
            return super().is_expected(code, line) or "'flame-fetch-sdk' ended with" in line

        def is_explained(self, outcome, report):
            """The report is ours; the helper has failed at a number that we did not come to."""
            return super().is_explained(outcome, report) or "the Flame context" in outcome.stderr

        def is_clean(self, outcome):
            """When the loader itself has no memory left, it ends the program."""
            return super().is_clean(outcome) or (outcome.code, outcome.stderr) == (
                127, "out of memory\n")

    sweep = Asking(user, ["stat", url], ours=1)
    assert sweep.over(range(1, 500)) > 400  # behind that it is all about loading gRPC
