"""The errors of the whole package.

SafejuryError
├── ConfigurationError      the caller must change a config, persona, flag or environment
│   ├── DatasetError        a query file or a medium cannot be used
│   ├── RecordError         a run's directory cannot be used as asked
│   │   └── RecordChangedError  a run's record is not as it was written
│   └── FirstContactError   a model never answered once: its address, key or name is wrong
├── OutOfBudgetError        what was asked for as a whole is not covered by its budget
├── OutageError             an endpoint was down for longer than it is waited for
├── PanelRefusedError       too many models refused for a set to be made
└── ModelError              one model call failed; recorded as an outcome, never as a verdict
    ├── TransportError      no usable connection, a time-out, or a 5xx reply
    ├── RateLimitError      the provider asked to slow down (429)
    ├── RequestError        the provider rejected this request (other 4xx)
    ├── BadReplyError       a reply that is not a chat completion
    └── BudgetError         the run's budget in tokens or money does not cover the call

Each message is one line: what happened, where, and what to do about it.
"""


class SafejuryError(Exception):
    """Base of every error raised on purpose by this package.

    Attributes:
        exit_code: Exit code of the command line when the error ends it.
    """

    exit_code: int = 1


class ConfigurationError(SafejuryError):
    """The caller must change a config, a persona, a flag or the environment."""

    exit_code = 2


class DatasetError(ConfigurationError):
    """A query file or one of its media cannot be used."""


class RecordError(ConfigurationError):
    """A run's directory cannot be used as asked."""


class RecordChangedError(RecordError):
    """A run's record is not as it was written."""

    exit_code = 3


class FirstContactError(ConfigurationError):
    """A model never answered once, for a reason that waiting does not cure."""


class OutOfBudgetError(SafejuryError):
    """What was asked for as a whole is not covered by its budget, and has no result."""

    exit_code = 3


class OutageError(SafejuryError):
    """An endpoint was down for longer than it is waited for; what is done is kept."""

    exit_code = 3


class PanelRefusedError(SafejuryError):
    """Models refused so much that a set cannot be made; what there is is kept."""

    exit_code = 3


class ModelError(SafejuryError):
    """One model call failed.

    Attributes:
        status: HTTP status of the reply, None where there was no reply.
        retry_after: Seconds the provider asked to wait, None where it did not say.
        permanent: Whether the same call would fail again until somebody mends
            an address, a key or a name.
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
        """Whether the server did not work on the call, so that it costs nothing.

        It was never sent, or its status says that it was turned away: 3xx, 4xx, 501, 503
        and 529. Not 408, which gateways send when a model took too long. All else may have
        been worked on and paid for: a time-out, a broken connection or reply, another 5xx.
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
        """Whether the same call may go well another time.

        As when a server is down, or once somebody mends a key; not if the provider rejects
        what is asked.
        """
        return self.permanent or not isinstance(self, RequestError)


class TransportError(ModelError):
    """No usable connection, a time-out, or a 5xx reply."""

    retryable = True


class RateLimitError(ModelError):
    """The provider asked to slow down (429)."""

    retryable = True

    @property
    def unprocessed(self) -> bool:
        """Whether the server did not work on the call: it says so."""
        return True


class RequestError(ModelError):
    """The provider rejected this request (a 4xx other than 408, 409 and 429)."""

    @property
    def unprocessed(self) -> bool:
        """Whether the server did not work on the call: not for a wrong key or name either."""
        return self.permanent or super().unprocessed


class BadReplyError(ModelError):
    """A reply that is not a chat completion: HTML, cut short, too large, wrong shape."""


class BudgetError(ModelError):
    """The run's budget in tokens or money does not cover the call, which was not made."""

    @property
    def unprocessed(self) -> bool:
        """Whether the server did not work on the call: it was not made."""
        return True
