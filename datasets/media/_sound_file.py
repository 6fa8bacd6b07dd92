"""Detects the type of audio files and measures their length."""

from ...common import DatasetError
from ._sound_flac import flac_seconds, is_flac
from ._sound_mp3 import after_id3, is_mp3, mp3_seconds
from ._sound_wav import is_wav, wav_seconds

_OTHERS = {
    b"OggS": "Ogg",
    b"FORM": "AIFF",
    b"#!AM": "AMR",
    b"\x1a\x45\xdf\xa3": "WebM",
    b".snd": "AU",
    b"caff": "CAF",
    b"RF64": "RF64",
}


def sound_type(content: bytes) -> str:
    """Check an audio file and return its MIME type.

    Raises:
        DatasetError: What is wrong with it, to be put after the file's name.
    """
    start = after_id3(content)
    if is_wav(content):
        media_type = "audio/wav"
    elif is_flac(content, start):
        media_type = "audio/flac"
    elif is_mp3(content):
        media_type = "audio/mpeg"
    else:
        raise DatasetError(f"is not a WAV, MP3 or FLAC file{_looks_like(content)}; convert it")
    sound_length(content, media_type)
    return media_type


def sound_length(content: bytes, media_type: str) -> float | None:
    """Return the length of an audio file in seconds, None for types without one.

    Args:
        content: The file's bytes.
        media_type: `audio/wav`, `audio/mpeg` or `audio/flac`; of others nothing is known.

    Raises:
        DatasetError: It is damaged or contains no audio.
    """
    match media_type:
        case "audio/wav":
            return wav_seconds(content)
        case "audio/mpeg":
            return mp3_seconds(content)
        case "audio/flac":
            return flac_seconds(content, after_id3(content))
        case _:
            return None


def _looks_like(content: bytes) -> str:
    name = _OTHERS.get(content[:4])
    if content[4:8] == b"ftyp":
        name = "MP4"
    elif content[:1] == b"\xff" and content[1:2] and content[1] & 0xF6 == 0xF0:
        name = "AAC"
    return f" (it looks like {name})" if name else ""
