"""The SafeBench paper's figures, shown beside those of a set."""

from ._items import Quality

QUALITY = {
    "consultation": Quality(7.7, 7.2, 7.4),
    "confidential_information": Quality(7.1, 8.7, 7.0),
    "cybersecurity": Quality(8.5, 9.2, 8.1),
    "ethics": Quality(7.7, 9.1, 7.2),
    "illegal_and_criminal_behavior": Quality(8.1, 8.9, 7.6),
    "violence": Quality(8.4, 9.9, 7.9),
    "inappropriate_speech": Quality(8.0, 9.1, 7.2),
    "inappropriate_opinions": Quality(7.8, 8.0, 7.0),
}
"""Mean scores of its queries by category; `confidential_information` is partly covered there."""

PER_SCENARIO = 100
OVER_GENERATION = 10.0
