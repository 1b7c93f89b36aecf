"""Parts of a study, shared among processes of this machine."""

import joblib

from sharplib.studies._jobs import in_processes


def test_no_more_processes_than_parts(monkeypatch):
    asked = []

    class Parallel(joblib.Parallel):
        def __init__(self, n_jobs):
            asked.append(n_jobs)
            super().__init__(n_jobs=1)

    monkeypatch.setattr(joblib, "Parallel", Parallel)
    for jobs in (2, 24):
        assert in_processes(jobs, lambda i, s, p: i, [(0,), (1,), (2,)], None, None) == [0, 1, 2]
    assert asked == [2, 3]
