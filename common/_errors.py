"""The exceptions of the package.

SafejuryError
├── ConfigurationError      a config, persona, flag or the environment must be changed
│   ├── DatasetError        a query file, or media that it refers to, cannot be used
│   ├── RecordError         a run directory cannot be used
│   │   └── RecordChangedError  a run's record was changed after it was written
│   └── FirstContactError   a model never answered: its address, key or name is wrong
├── OutOfBudgetError        the budget does not cover the work
├── OutageError             an endpoint was down for longer than the maximum wait
├── PanelRefusedError       too many models refused to generate a dataset
└── ModelError              one model call failed; recorded as an outcome, never as a verdict
    ├── TransportError      no usable connection, a timeout, or a 5xx reply
    ├── RateLimitError      the provider asked to slow down (429)
    ├── RequestError        the provider rejected this request (other 4xx)
    ├── BadReplyError       the reply is not a chat completion
    └── BudgetError         the run's budget of tokens or money does not cover the call

Each message is one line: what happened, where, and what to do about it.
"""


class SafejuryError(Exception):
    """Base of every error raised on purpose by this package.

    Attributes:
        exit_code: Exit code of the command line when the error ends it.
    """

    exit_code: int = 1


class ConfigurationError(SafejuryError):
    """A config, a persona, a flag or the environment must be changed."""

    exit_code = 2


class DatasetError(ConfigurationError):
    """A query file, or media that it refers to, cannot be used."""


class RecordError(ConfigurationError):
    """A run directory cannot be used."""


class RecordChangedError(RecordError):
    """A run's record was changed after it was written."""

    exit_code = 3


class FirstContactError(ConfigurationError):
    """A model never answered, for a reason that retrying will not fix."""


class OutOfBudgetError(SafejuryError):
    """The budget does not cover the work; there is no result."""

    exit_code = 3


class OutageError(SafejuryError):
    """An endpoint was down for longer than the maximum wait; finished work is kept."""

    exit_code = 3


class PanelRefusedError(SafejuryError):
    """Too many models refused to generate a dataset; finished work is kept."""

    exit_code = 3


class ModelError(SafejuryError):
    """One model call failed.

    Attributes:
        status: HTTP status of the reply, None if there was no reply.
        retry_after: Seconds the provider asked to wait, None if it did not say.
        permanent: Whether the same call fails until an address, a key or a name is fixed.
        unsent: Whether the request certainly never reached the model's server.
    """

    exit_code = 3
    retryable: bool = False

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        permanent: bool = False,
        unsent: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
        self.permanent = permanent
        self.unsent = unsent

    @property
    def unprocessed(self) -> bool:
        """Whether the server did no work on the call, so that it costs nothing.

        True if it was never sent, or was rejected with 3xx, 4xx, 501, 503 or 529. Not 408 or
        499: gateways send them when a model took too long. Anything else may have been worked
        on and billed: a timeout, a broken connection or reply, another 5xx.
        """
        if self.status is None:
            return self.unsent
        return (300 <= self.status < 500 and self.status not in (408, 499)) or self.status in (
            501,
            503,
            529,
        )

    @property
    def may_pass(self) -> bool:
        """Whether the same call may succeed later.

        True if a server is down or a key can be fixed; False if the provider rejects the
        request itself.
        """
        return self.permanent or not isinstance(self, RequestError)


class TransportError(ModelError):
    """The connection failed or timed out, or the server replied with 5xx."""

    retryable = True


class RateLimitError(ModelError):
    """The provider asked to slow down (429)."""

    retryable = True

    @property
    def unprocessed(self) -> bool:
        """Whether the server did no work on the call: a 429 says so."""
        return True


class RequestError(ModelError):
    """The provider rejected this request (a 4xx other than 408, 409 and 429)."""

    @property
    def unprocessed(self) -> bool:
        """Whether the server did no work on the call, as with a wrong key or name."""
        return self.permanent or super().unprocessed


class BadReplyError(ModelError):
    """The reply is not a chat completion: HTML, cut short, too large or of the wrong shape."""


class BudgetError(ModelError):
    """The run's budget of tokens or money does not cover the call, so it was not made."""

    @property
    def unprocessed(self) -> bool:
        """Whether the server did no work on the call: always, it was not made."""
        return True
