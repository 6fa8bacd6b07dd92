"""safejury: measure the safety of multimodal models with a jury of models.

The front door is the command line (`safejury --help`). The library's nouns are
subpackages: `safejury.datasets`, `safejury.models`, `safejury.targets`,
`safejury.agents`, `safejury.deliberation` and `safejury.evaluation`.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
