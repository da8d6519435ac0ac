# SPDX-License-Identifier: Apache-2.0
"""Servers and clients that a test starts as it needs them, and that end with it."""
import contextlib


@contextlib.contextmanager
def starting(kind, end=lambda made: made.close()):
    """start(...): what kind(...) made. At the end all are ended, the last one first, also where the
    end of one of them fails."""
    with contextlib.ExitStack() as stack:
        def start(*arguments, **options):
            made = kind(*arguments, **options)
            stack.callback(end, made)
            return made

        yield start
