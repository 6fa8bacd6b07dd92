"""The jury of the embedded model, for those who name none."""

from ...assembly.config import JurorConfig, JuryConfig, ModelConfig

EMBEDDED_JURY = JuryConfig(
    jurors=[
        JurorConfig(persona=persona, model="embedded/smollm2", temperature=1.0)
        for persona in ("clinician", "security_engineer", "sceptic")
    ],
    foreperson=ModelConfig(model="embedded/smollm2", temperature=0.8),
    max_tokens=200,
)
"""The jury of those who name none: for trying the tool. Drawn at random, it disagrees."""
EMBEDDED_SEED = 5
