import os
import random
import re
import struct
import wave
from collections.abc import Callable
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import pytest

from safejury.common import DatasetError
from safejury.datasets import (
    NEUTRAL_TEXT,
    Intent,
    Media,
    Parts,
    Query,
    load_dataset,
    read_media,
    select_parts,
    sound_length,
    transcript_of,
)

SAMPLES = Path(__file__).resolve().parents[1] / "data"
MP3 = (SAMPLES / "garden.mp3").read_bytes()
FLAC = (SAMPLES / "summer.flac").read_bytes()
needs_av = pytest.mark.skipif(find_spec("av") is None, reason="needs the extra `sound`")


def wav(seconds: float = 0.5, *, channels: int = 1, width: int = 2, rate: int = 8000) -> bytes:
    out = BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setparams((channels, width, rate, 0, "NONE", "NONE"))
        sound.writeframes(b"\x10" * (round(seconds * rate) * channels * width))
    return out.getvalue()


def id3(size: int) -> bytes:
    """Return a tag of `size` bytes, with zeros in it."""
    digits = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x04\x00\x00" + digits + bytes(size)


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Media]:
    def read(content: bytes, name: str = "sound.wav") -> Media:
        path = tmp_path / name
        path.write_bytes(content)
        return read_media(path, kind="audio")

    return read


@pytest.fixture
def refusal(tmp_path: Path) -> Callable[[bytes], str]:
    """Return the one line with which a sound is refused."""

    def refusal(content: bytes) -> str:
        path = tmp_path / "sound.bin"
        path.write_bytes(content)
        with pytest.raises(DatasetError) as error:
            read_media(path, kind="audio")
        message = str(error.value)
        assert message.isprintable()
        assert message.startswith(f"audio {str(path)!r} ")
        return message

    return refusal


@pytest.mark.parametrize(
    ("content", "media_type", "seconds"),
    [
        (wav(0.5), "audio/wav", 0.5),
        (wav(0.25, channels=2, width=3, rate=48_000), "audio/wav", 0.25),
        (MP3, "audio/mpeg", 2.2),
        (id3(300) + MP3, "audio/mpeg", 2.2),
        (MP3 + b"TAG" + bytes(125), "audio/mpeg", 2.2),
        pytest.param(FLAC, "audio/flac", 1.34, marks=needs_av),
        pytest.param(id3(300) + FLAC, "audio/flac", 1.34, marks=needs_av),
    ],
)
@pytest.mark.parametrize("name", ["right", "wrong.png", "wrong.wav"])
def test_a_sound_is_known_and_measured_by_its_content(
    content: bytes, media_type: str, seconds: float, name: str, read: Callable[..., Media]
) -> None:
    media = read(content, name)
    assert (media.media_type, media.size) == (media_type, len(content))
    measured = sound_length(media.read(), media.media_type)
    assert measured == pytest.approx(seconds, abs=0.08)  # MP3 pads: at most two frames


@pytest.mark.parametrize(
    "content",
    [
        wav(0),
        wav()[:12],
        id3(20),
        MP3[:3] + bytes(20),
        pytest.param(FLAC[:4], marks=needs_av),
        pytest.param(FLAC[:42] + bytes(40), marks=needs_av),
    ],
)
def test_a_sound_of_zero_length_is_refused(content: bytes, refusal: Callable[..., str]) -> None:
    said = refusal(content)
    assert "no audio" in said or "is not a WAV, MP3 or FLAC file" in said


@pytest.mark.parametrize("content", [wav(), MP3, pytest.param(FLAC, marks=needs_av)])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_a_sound_cut_short_is_refused(
    content: bytes, part: float, refusal: Callable[..., str]
) -> None:
    assert "is cut short (" in refusal(content[: int(len(content) * part)])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"OggS" + bytes(60), "is not a WAV, MP3 or FLAC file (it looks like Ogg); convert it"),
        (bytes(4) + b"ftypM4A " + bytes(60), "(it looks like MP4); convert it"),
        (b"\xff\xf1\x50\x80" * 20, "(it looks like AAC); convert it"),
        (b"RF64\xff\xff\xff\xffWAVE", "(it looks like RF64); convert it"),
        (b"\x89PNG\r\n\x1a\n" + bytes(60), "is not a WAV, MP3 or FLAC file; convert it"),
    ],
)
def test_another_format_is_named(content: bytes, said: str, refusal: Callable[..., str]) -> None:
    assert refusal(content).endswith(said)


def patched(at: int, form: str, value: int) -> bytes:
    """Return a WAV with one number of its header changed."""
    content = bytearray(wav())
    struct.pack_into(form, content, at, value)
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (patched(20, "<H", 0x11), "is a compressed WAV (format 0x0011); convert it to PCM"),
        (patched(22, "<H", 0), "is damaged (its header says 0 channels"),
        (
            patched(24, "<I", 0),
            "is damaged (its header says 1 channels of 16 bits in 2 bytes, 0 Hz",
        ),
        (patched(34, "<H", 11), "is damaged (its header says 1 channels of 11 bits"),
        (patched(40, "<I", 0), "has an audio length of 0, but 8000 bytes follow; save it again"),
    ],
)
def test_a_wav_with_a_wrong_header_is_refused(
    content: bytes, said: str, refusal: Callable[..., str]
) -> None:
    assert said in refusal(content)


def frames_of_flac() -> tuple[bytes, list[bytes]]:
    """Return what comes before the frames of the sample, and its frames."""
    start = FLAC.index(b"\xff\xf8")
    head, tail = FLAC[:start], FLAC[start:]
    ends = [at for at in range(2, len(tail)) if tail.startswith(tail[:3], at)]
    starts = [0, *ends]
    return head, [tail[a:b] for a, b in zip(starts, [*ends, len(tail)], strict=True)]


@needs_av
def test_a_flac_is_checked_from_its_first_frame_to_its_last(refusal: Callable[..., str]) -> None:
    """A single bit, wherever it is, as a disk or a download may turn it."""
    start = FLAC.index(b"\xff\xf8")
    for at in range(start + 2, len(FLAC), len(FLAC) // 60):
        damaged = bytearray(FLAC)
        damaged[at] ^= 0x10
        assert re.search(r"is (damaged|cut short) \(", refusal(bytes(damaged))), at


@needs_av
def test_a_flac_that_lost_a_frame_is_refused(refusal: Callable[..., str]) -> None:
    """Also where its header does not say how much there is."""
    head, frames = frames_of_flac()
    assert len(frames) >= 3
    streamed = bytearray(head)
    streamed[21:26] = bytes([head[21] & 0xF0, 0, 0, 0, 0])
    assert sound_length(bytes(streamed) + b"".join(frames), "audio/flac") == pytest.approx(
        1.34, 0.1
    )
    for kept in (frames[:1] + frames[2:], [*frames[:2], frames[1], *frames[2:]]):
        assert "is damaged (a frame is missing at byte " in refusal(
            bytes(streamed) + b"".join(kept)
        )
    for kept, what in ((frames[:-1], "cut short"), ([*frames, frames[-1]], "damaged")):
        assert f"is {what} (its header promises " in refusal(head + b"".join(kept))


@needs_av
def test_a_tag_after_the_last_frame_of_a_flac_is_no_damage() -> None:
    tag = b"TAG" + b"summer".ljust(125, b"\0")
    assert sound_length(FLAC + tag, "audio/flac") == pytest.approx(1.34, 0.1)


@needs_av
def test_the_tags_of_a_flac_may_be_of_any_encoding() -> None:
    field = b"TITLE=\xe9t\xe9"
    block = struct.pack("<II", 0, 1) + struct.pack("<I", len(field)) + field
    tagged = FLAC[:42] + b"\x04" + len(block).to_bytes(3) + block + FLAC[42:]
    assert sound_length(tagged, "audio/flac") == pytest.approx(1.34, 0.1)


ZEROED = MP3[:5000] + bytes(1500) + MP3[6500:]


@pytest.mark.parametrize(
    "content",
    [
        ZEROED,
        MP3[:5000] + MP3[5007:],
        MP3[:5000] + b"more" + MP3[5000:],
        MP3.replace(b"\n", b"\r\n"),
        MP3 + MP3[2000:2100],
    ],
    ids=["zeros", "lost", "inserted", "line ends", "behind"],
)
def test_an_mp3_whose_frames_do_not_follow_each_other_is_refused(
    content: bytes, refusal: Callable[..., str]
) -> None:
    # Without the encoder's count of frames, which would tell that some are gone.
    assert re.search(r"is (damaged \(.* byte|cut short \(its)", refusal(uncounted(content)))


def uncounted(mp3: bytes) -> bytes:
    """Return an MP3 without the encoder's notes in its first frame."""
    for word in (b"Xing", b"Info"):
        mp3 = mp3.replace(word, bytes(4), 1)
    return mp3


def test_an_mp3_without_a_count_is_refused_when_its_last_frame_is_cut(
    refusal: Callable[..., str],
) -> None:
    assert "is cut short (its last frame is not whole)" in refusal(uncounted(MP3)[:-9])
    assert sound_length(uncounted(MP3), "audio/mpeg") == pytest.approx(2.2, abs=0.15)


APE = b"APETAGEX" + struct.pack("<IIII8x", 2000, 32 + 5, 0, 0)


@pytest.mark.parametrize(
    "tail",
    [
        bytes(700),
        b"\n",
        b"items" + APE,
        b"LYRICSBEGINla la000016LYRICS200",
        b"items" + APE + b"TAG" + bytes(125),
        b"TAG" + bytes(125) + id3(300) + uncounted(MP3),
    ],
    ids=["padding", "line end", "ape", "lyrics", "two tags", "joined"],
)
def test_tags_and_padding_are_no_damage(tail: bytes) -> None:
    seconds = sound_length(uncounted(MP3) + tail, "audio/mpeg")
    assert seconds == pytest.approx(4.4 if len(tail) > 5000 else 2.2, abs=0.3)


def silence(side: bytes = bytes(17), *, checksum: int | None = None) -> bytes:
    """Return three frames of an MP3 that say of their sound what `side` says, with a checksum."""
    head = b"\xff\xfa\x90\xc4"
    crc = 0xFFFF
    for byte in head[2:] + side:
        for bit in range(8):
            carry = (crc >> 15 ^ byte >> 7 - bit) & 1
            crc = (crc << 1 & 0xFFFF) ^ (0x8005 if carry else 0)
    crc = crc if checksum is None else checksum
    return (head + crc.to_bytes(2) + side + bytes(417 - 6 - 17)) * 3


def test_the_checksums_of_an_mp3_are_heeded(refusal: Callable[..., str]) -> None:
    assert sound_length(silence(), "audio/mpeg") == pytest.approx(3 * 1152 / 44100)
    assert "is damaged (its frame at byte 0 is not whole)" in refusal(silence(checksum=1))


# Bits of the last part, from its end: 59 for 12 of its length, 9 of pairs, ..., 3 of its window.
@pytest.mark.parametrize(
    "said", [289 << 38, 0b100 << 23, 0xFFF << 47], ids=["pairs", "kind", "long"]
)
def test_an_mp3_that_says_what_cannot_be_is_refused(said: int, refusal: Callable[..., str]) -> None:
    assert "is damaged (its frame at byte 0 is not whole)" in refusal(silence(said.to_bytes(17)))
    assert sound_length(silence((288 << 38 | 0b101 << 23).to_bytes(17)), "audio/mpeg")


@pytest.mark.parametrize("length", [0x7FFFFFFF, 0xFFFFFFFF])
def test_a_wav_that_was_streamed_is_measured_by_its_end(length: int) -> None:
    assert sound_length(patched(40, "<I", length), "audio/wav") == 0.5


@pytest.mark.parametrize("content", [wav(0.05), MP3, pytest.param(FLAC, marks=needs_av)])
def test_damage_is_read_or_refused_in_one_line(content: bytes, tmp_path: Path) -> None:
    chance = random.Random(len(content))
    messages: list[str] = []
    for _ in range(60):
        damaged = bytearray(content)
        for _ in range(chance.randint(1, 20)):
            damaged[chance.randrange(60)] = chance.randrange(256)
        path = tmp_path / "damaged"
        path.write_bytes(damaged)
        try:
            media = read_media(path, kind="audio")
        except DatasetError as error:
            messages.append(str(error))
        else:
            assert (sound_length(media.read(), media.media_type) or 0) > 0
    assert messages
    assert all(message.isprintable() for message in messages)


def test_a_huge_sound_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.wav"
    path.write_bytes(wav())
    os.truncate(path, 300 * 2**20)  # sparse: takes no room
    with pytest.raises(DatasetError, match="is larger than 64 MiB; make it smaller"):
        read_media(path, kind="audio")


def test_a_set_names_the_line_of_a_sound_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "cut.mp3").write_bytes(MP3[:4000])
    line = '{"id": "q1", "scenario": "ethics.bioethics", "text": "Why?", "intent": "benign", '
    (tmp_path / "q.jsonl").write_text(line + '"audio": "cut.mp3"}\n')
    with pytest.raises(DatasetError, match=r"q\.jsonl:1: audio 'cut\.mp3' is cut short \("):
        load_dataset(tmp_path / "q.jsonl")


PICTURE = Media("0" * 64, "image/png", 9, "a.png")
SOUND = Media("1" * 64, "audio/wav", 9, "a.wav")
ASKED = Query("q1", "ethics.bioethics", "Why is it so?", Intent.BENIGN, (PICTURE,), SOUND)


@pytest.mark.parametrize(
    ("parts", "text", "audio"),
    [
        ("given", ASKED.text, SOUND),
        ("text", ASKED.text, None),
        ("audio", NEUTRAL_TEXT, SOUND),
        ("audio+text", ASKED.text, SOUND),
    ],
)
def test_each_factor_is_sent_alone_and_pictures_stay(
    parts: Parts, text: str, audio: Media | None
) -> None:
    put = select_parts(ASKED, parts)
    assert (put.text, put.audio, put.images) == (text, audio, (PICTURE,))
    assert (put.id, put.scenario, put.intent) == (ASKED.id, ASKED.scenario, ASKED.intent)


def test_the_neutral_text_is_the_same_for_every_query_and_asks_for_nothing() -> None:
    other = Query("q2", "ethics.bioethics", "And this?", Intent.HARMFUL, audio=SOUND)
    assert select_parts(other, "audio").text == select_parts(ASKED, "audio").text
    for cue in ("sure", "begin", "start", "help", "must", "step", "yes", "answer"):
        assert cue not in NEUTRAL_TEXT.casefold()


@pytest.mark.parametrize("parts", ["text", "audio", "audio+text"])
def test_without_sound_there_is_no_such_factor(parts: Parts) -> None:
    silent = Query("q1", "ethics.bioethics", "Why?", Intent.BENIGN)
    assert select_parts(silent, "given") == silent
    with pytest.raises(DatasetError, match="query 'q1' has no sound"):
        select_parts(silent, parts)


def test_the_text_that_was_left_out_is_the_transcript() -> None:
    transcript = transcript_of(select_parts(ASKED, "audio"), ASKED)
    assert transcript is not None
    assert (transcript.text, transcript.source) == (ASKED.text, "the query's own text")
    for parts in ("given", "text", "audio+text"):
        assert transcript_of(select_parts(ASKED, parts), ASKED) is None
