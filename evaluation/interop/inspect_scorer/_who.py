"""Who judges the samples of an Inspect task: a jury of a config, of models, or from Python."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from ....assembly import load_config
from ....assembly.config import LimitsConfig, RunConfig, RunLimitsConfig, check_keys
from ....assembly.jury import jury_of_models, jury_spec, open_jury
from ....assembly.servers import ServerBook
from ....common import ConfigurationError
from ....deliberation import Jury, JurySpec
from ....models import Budget


@dataclass(frozen=True, slots=True)
class Judges:
    """A jury that is not open yet, and what it may take.

    Attributes:
        jury: Who judges.
        limits: What may be taken of endpoints, and spent by one process.
        servers: The managed servers of its models.
    """

    jury: JurySpec
    limits: LimitsConfig
    servers: ServerBook

    @classmethod
    def of(
        cls,
        config: str | None,
        jurors: str | Sequence[str] | None,
        *,
        url: str | None,
        api_key_env: str | None,
        jury: Jury | JurySpec | None,
    ) -> "Judges":
        """Return who is named; the arguments are those of the scorer.

        Raises:
            ConfigurationError: Nobody is, or more than once, or something does not fit.
        """
        if sum(each is not None for each in (config, jurors, jury)) != 1:
            raise ConfigurationError(
                "safejury/jury: name who judges, in one way: config=FILE.yaml, or jurors=MODEL "
                "with url=ADDRESS, or jury=Jury.of(...) from Python"
            )
        if jurors is None and (url is not None or api_key_env is not None):
            raise ConfigurationError("safejury/jury: url and api_key_env go with jurors=MODEL")
        judges = cls._named(config, jurors, url, api_key_env, jury)
        if judges.jury.has_person:
            raise ConfigurationError("safejury/jury: a person cannot sit on the jury of a scorer")
        return judges

    @classmethod
    def _named(
        cls,
        config: str | None,
        jurors: str | Sequence[str] | None,
        url: str | None,
        api_key_env: str | None,
        jury: Jury | JurySpec | None,
    ) -> "Judges":
        if jury is not None:
            spec = jury.spec if isinstance(jury, Jury) else jury
            if spec is None:
                raise ConfigurationError("safejury/jury: describe the jury with Jury.of")
            return cls(spec, RunLimitsConfig(), ServerBook(Path()))
        if config is not None:
            path = Path(config).expanduser().resolve()
            read = load_config(path, [])
            check_keys(read.jury)
            servers = ServerBook(path.parent)
            spec = jury_spec(read.jury, servers.folder, servers, seed=read.run.seed)
            return cls(spec, read.limits, servers)
        named = [jurors] if isinstance(jurors, str) else [*(jurors or ())]
        models = [model.strip() for each in named for model in each.split(",") if model.strip()]
        if not models:
            raise ConfigurationError("safejury/jury: jurors names no model")
        seated = jury_of_models(models, url, api_key_env, option="jurors")
        check_keys(seated)
        servers = ServerBook(Path())
        spec = jury_spec(seated, servers.folder, servers, seed=RunConfig().seed)
        return cls(spec, RunLimitsConfig(), servers)

    def open(
        self, spent: tuple[int, float, int]
    ) -> AbstractAsyncContextManager[tuple[Jury, Budget]]:
        """Open the jury and its models, with what was spent before; see `open_jury`."""
        return open_jury(self.jury, self.limits, self.servers, spent=spent)
