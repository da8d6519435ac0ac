# SPDX-License-Identifier: Apache-2.0
"""Exit codes are for scripts: they are what they were."""
import pytest

from support.scripted_server import response
from support.statuses import EXIT

# The numbers below 100 are curl's, where it has one for the same thing.
PROMISED = {
    "OK": 0, "NOT_MODIFIED": 0, "REDIRECT": 0, "ENOUGH": 0, "INVALID": 2, "INVALID_URL": 3,
    "UNSUPPORTED": 1, "NOT_FOUND": 78, "AUTH": 67, "POLICY": 116, "REMOTE": 22, "EXISTS": 113,
    "CHANGED": 36, "RANGE": 33, "LIMIT": 63, "REDIRECTS": 47, "BUSY": 22, "RESOLVE": 6,
    "CONNECT": 7, "NETWORK": 56, "TLS": 60, "PROTOCOL": 8, "TRUNCATED": 18, "UNPROVEN": 119,
    "DIGEST": 110, "SIGNATURE": 111, "TIMEOUT": 28, "CANCELLED": 42, "UNSAFE_NAME": 115,
    "STORE_REFUSED": 118, "LOCKED": 114, "NO_SPACE": 112, "IO": 23, "SOURCE": 26, "NO_MEMORY": 27,
    "UNKNOWN_OUTCOME": 120, "DURABILITY_UNKNOWN": 121, "PLUGIN": 117, "INTERNAL": 125,
}


def test_105_exit_codes_never_change():
    assert EXIT == PROMISED


@pytest.mark.parametrize("urls, code", [
    (["{good}", "{good}"], 0), (["{gone}", "{good}"], 78), (["{good}", "{gone}"], 78),
    (["{gone}", "nothing:x", "{good}"], 78), (["nothing:x", "{gone}"], 1)])
def test_105_of_several_urls_the_first_failure_counts_and_the_others_are_fetched(fetch, serve, urls,
                                                                                code):
    good = serve(response(b"hello"))
    gone = serve(response(b"", status="404 Not Found"))
    known = {"good": good.url("/good"), "gone": gone.url("/gone")}
    outcome = fetch(*[url.format(**known) for url in urls], output=None)
    assert outcome.code == code, outcome.stderr
    assert outcome.files == (["good"] if "{good}" in urls else [])
    assert len(outcome.stderr.splitlines()) == sum(url != "{good}" for url in urls)
