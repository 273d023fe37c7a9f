"""Results as far as a script can see them: of the requests that were told to the sandbox of the
listeners. The engine's own results are exact, and `--threshold` judges by them."""

from collections import Counter
from collections.abc import Iterator
from typing import Any


class StatsEntry:
    """The requests of one name and method."""

    def __init__(self, name: str, method: str) -> None:
        self.name = name
        self.method = method
        self.num_requests = 0
        self.num_failures = 0
        self.total_response_time = 0.0
        self.total_content_length = 0
        self.min_response_time: float | None = None
        self.max_response_time = 0.0
        # Rounded response time -> requests.
        self.response_times: Counter[int] = Counter()

    def log(self, response_time: float, length: int, failed: bool) -> None:
        self.num_requests += 1
        self.num_failures += failed
        self.total_response_time += response_time
        self.total_content_length += length
        self.max_response_time = max(self.max_response_time, response_time)
        least = self.min_response_time
        self.min_response_time = response_time if least is None else min(least, response_time)
        # Three digits, so that there are few.
        grain = 1 if response_time < 1000 else 10 if response_time < 10_000 else 100
        self.response_times[round(response_time / grain) * grain] += 1

    @property
    def fail_ratio(self) -> float:
        return self.num_failures / self.num_requests if self.num_requests else 0.0

    @property
    def avg_response_time(self) -> float:
        return self.total_response_time / self.num_requests if self.num_requests else 0.0

    @property
    def avg_content_length(self) -> float:
        return self.total_content_length / self.num_requests if self.num_requests else 0.0

    @property
    def median_response_time(self) -> int:
        return self.get_response_time_percentile(0.5)

    def get_response_time_percentile(self, percent: float) -> int:
        """In milliseconds; `percent` is between 0 and 1."""
        left = self.num_requests * (1 - percent)
        for response_time in sorted(self.response_times, reverse=True):
            left -= self.response_times[response_time]
            if left < 0:
                return response_time
        return min(self.response_times, default=0)

    def __getattr__(self, name: str) -> Any:
        text = f"stats have no {name} here: the engine's summary and --json-file tell more"
        raise AttributeError(text, name=name, obj=self)


class RequestStats:
    """All requests."""

    def __init__(self) -> None:
        self.total = StatsEntry("Aggregated", "")
        self.entries: dict[tuple[str, str], StatsEntry] = {}

    def log(self, method: str, name: str, response_time: float, length: int, failed: bool) -> None:
        self.total.log(response_time, length, failed)
        self.get(name, method).log(response_time, length, failed)

    def get(self, name: str, method: str) -> StatsEntry:
        key = (name, method)
        entry = self.entries.get(key)
        if entry is None:
            entry = self.entries[key] = StatsEntry(name, method)
        return entry

    @property
    def num_requests(self) -> int:
        return self.total.num_requests

    @property
    def num_failures(self) -> int:
        return self.total.num_failures

    def __iter__(self) -> Iterator[StatsEntry]:
        return iter(self.entries.values())
