"""Every exception Leucippus raises on purpose.

The type names the boundary that failed; the message says what was found, what was expected and what to do next.

    LeucippusError
    ├── ConfigError              a setting has a value we cannot use
    ├── InputError               what the user handed over cannot be used
    │   ├── DocumentError        one document cannot be read: recorded as a failure, the job goes on
    │   ├── DataError            a data set cannot be read, or does not hold what was asked of it
    │   ├── DesignError          the specification of a research design cannot be used
    │   ├── GraphError           a causal graph, or a question about one, cannot be used
    │   └── PositivityError      the data lack a cell that the estimand needs
    ├── StoreError               the DuckDB file
    │   ├── StoreMissing         there is no store at that path
    │   ├── StoreLocked          another process holds it (retryable)
    │   ├── StoreReadOnly        the file or its folder cannot be written
    │   └── StoreTooNew          written by a later version of Leucippus
    └── ServingError             a model or the thing that serves it
        ├── ModelNotFound        no model by that name, here or where we may look
        ├── EngineDied           the engine stopped and could not be restarted (retryable)
        ├── EndpointUnreachable  a remote endpoint does not answer (retryable)
        └── EndpointRefused      a remote endpoint answers, and says no

`retryable` says whether the same call may succeed later with nothing changed. It belongs to the type, so nobody
has to read the message to know.
"""

from typing import ClassVar


class LeucippusError(Exception):
    """Base of the tree.

    Parameters
    ----------
    problem : what went wrong, with the value that was met.
    expected : what would have been right; may be empty.
    next_step : what the user can do now; may be empty.
    """

    retryable: ClassVar[bool] = False

    def __init__(self, problem: str, *, expected: str = "", next_step: str = "") -> None:
        self.problem = problem
        self.expected = expected
        self.next_step = next_step
        parts = [problem]
        if expected:
            parts.append(f"Expected: {expected}")
        if next_step:
            parts.append(f"Next: {next_step}")
        super().__init__("\n".join(parts))

    def __reduce__(self) -> tuple[object, ...]:
        # Ray pickles exceptions across processes; the default would pass the joined message as `problem`.
        return (_rebuild, (type(self), self.problem, self.expected, self.next_step))


def _rebuild(kind: type[LeucippusError], problem: str, expected: str, next_step: str) -> LeucippusError:
    return kind(problem, expected=expected, next_step=next_step)


class ConfigError(LeucippusError):
    """A setting has a value we cannot use."""


class InputError(LeucippusError):
    """What the user handed over cannot be used."""


class DocumentError(InputError):
    """One document cannot be read; jobs record it as a failure and go on."""


class DataError(InputError):
    """A data set cannot be read, or does not hold what was asked of it."""


class DesignError(InputError):
    """The specification of a research design cannot be used."""


class GraphError(InputError):
    """A causal graph, or a question about one, cannot be used."""


class PositivityError(InputError):
    """The data lack a cell that the estimand needs."""


class StoreError(LeucippusError):
    """The DuckDB store."""


class StoreMissing(StoreError):
    """There is no store at that path."""


class StoreLocked(StoreError):
    """Another process holds the store."""

    retryable = True


class StoreReadOnly(StoreError):
    """The file or its folder cannot be written."""


class StoreTooNew(StoreError):
    """The store was written by a later version of Leucippus."""


class ServingError(LeucippusError):
    """A model, or the thing that serves it."""


class ModelNotFound(ServingError):
    """No model by that name, here or where we may look."""


class EngineDied(ServingError):
    """The engine stopped and could not be restarted."""

    retryable = True


class EndpointUnreachable(ServingError):
    """A remote endpoint does not answer."""

    retryable = True


class EndpointRefused(ServingError):
    """A remote endpoint answers, and says no."""
