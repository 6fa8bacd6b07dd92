"""For tests of yours and ours: a scripted OpenAI-compatible server, and a fixture of pytest."""

from typing import TYPE_CHECKING

from ..common import lazy

if TYPE_CHECKING:
    from ._pictures import PICTURE_QUIRKS, PictureQuirk, PictureScript
    from ._plugin import JudgedAnswer, JuryFixture
    from ._quirks import QUIRKS, Quirk
    from ._reply import Fault, ScriptedCall, ScriptedReply, ballot, remark, request_text
    from ._scripted import main
    from ._server import FaultPlan, ScriptedServer, ScriptedStats
    from ._speech import SpeechScript, default_speech

if not TYPE_CHECKING:  # or a checker would take every name for one of ours
    __getattr__ = lazy(
        __name__,
        {
            "_pictures": ["PICTURE_QUIRKS", "PictureQuirk", "PictureScript"],
            "_plugin": ["JudgedAnswer", "JuryFixture"],
            "_quirks": ["QUIRKS", "Quirk"],
            "_reply": [
                "Fault",
                "ScriptedCall",
                "ScriptedReply",
                "ballot",
                "remark",
                "request_text",
            ],
            "_scripted": ["main"],
            "_server": ["FaultPlan", "ScriptedServer", "ScriptedStats"],
            "_speech": ["SpeechScript", "default_speech"],
        },
    )

__all__ = [
    "PICTURE_QUIRKS",
    "QUIRKS",
    "Fault",
    "FaultPlan",
    "JudgedAnswer",
    "JuryFixture",
    "PictureQuirk",
    "PictureScript",
    "Quirk",
    "ScriptedCall",
    "ScriptedReply",
    "ScriptedServer",
    "ScriptedStats",
    "SpeechScript",
    "ballot",
    "default_speech",
    "main",
    "remark",
    "request_text",
]
