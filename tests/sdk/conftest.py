# SPDX-License-Identifier: Apache-2.0
"""Caches and places for packages."""
import pytest

from devcache.conftest import cache  # pylint: disable=unused-import
from sdk.driver import sdk

KINDS = ["folder", "dav", "cache"]


class Place:
    """A storage, and a look into it from behind."""

    def __init__(self, kind, base, read):
        self.kind, self.base, self.read = kind, base, read

    def call(self, call, name=None, app="app", **values):
        return sdk(f"storage-{call}", base=self.base, app=app, name=name, **values)


@pytest.fixture
def place_of(tmp_path, request):
    """place_of(kind): an empty place for packages."""
    def folder():
        root = tmp_path / "packages"
        root.mkdir(exist_ok=True)
        return Place("folder", f"file://{root}", lambda name: _read(root / "app/pkg" / name))

    def dav():
        nginx = request.getfixturevalue("nginx")
        root = nginx.root / "packages" / tmp_path.name
        root.mkdir(parents=True, exist_ok=True)
        return Place("dav", nginx.url(f"/packages/{tmp_path.name}"),
                     lambda name: _read(root / "app/pkg" / name))

    def in_cache():
        started = request.getfixturevalue("cache")()
        store = request.getfixturevalue("tmp_path") / "fetched"

        def read(name):
            said = sdk("object-download", endpoint=started.url, key=f"app/pkg/{name}", path=store)
            return store.read_bytes() if said["status"] == "OK" else None

        place = Place("cache", started.url, read)
        place.cache = started
        return place

    return lambda kind: {"folder": folder, "dav": dav, "cache": in_cache}[kind]()


@pytest.fixture(params=KINDS)
def place(request, place_of):
    return place_of(request.param)


@pytest.fixture
def package(tmp_path):
    """Make files: package(bytes) -> path."""
    count = iter(range(1000))

    def make(body=b"a package"):
        path = tmp_path / f"package{next(count)}.tgz"
        path.write_bytes(body)
        return path

    return make


def _read(path):
    return path.read_bytes() if path.exists() else None
