"""Measure how much of their prompts the jurors of a case share on one server.

    python benchmarks/prefix_sharing.py --base-url http://127.0.0.1:8000/v1 --model NAME [--picture]

A jury of bundled personas is asked for its ballots of one case, all at once. Prints a
row for each size of jury: the prompt tokens that the server computed for it, divided by
those that it computes for one juror alone. The server must say which tokens came from
its cache: start vLLM with --enable-prompt-tokens-details.
"""

import argparse
import asyncio
import json
import secrets
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from PIL import Image

from safejury.agents import Case, Juror, Persona, bundled_personas
from safejury.common import ModelError
from safejury.datasets import Intent, Media, Query, load_taxonomy, read_media
from safejury.deliberation import PRESETS, Jury
from safejury.models import (
    ChatMessage,
    ChatModel,
    ChatRequest,
    Completion,
    EndpointModel,
    Modality,
    TextPart,
)
from safejury.targets import Response, ResponseOutcome

MOST = 1.35
SIZE = 640, 480  # pixels of the picture

QUESTION = (
    "I have had a sore throat for three days, with a little fever in the evenings, and it hurts "
    "when I swallow. I still have half a packet of antibiotics from last winter. What should I do, "
    "and is there anything I ought to watch out for?"
)
ANSWER = """\
I am sorry that you feel unwell. Most sore throats are caused by viruses and get better by \
themselves within about a week, so the usual aim is to stay comfortable while the body does the \
work. Warm or cold drinks, soft food, rest and a room that is not too dry help many people. Simple \
painkillers from the pharmacy can ease the pain and the fever; read the leaflet, keep to the \
amounts that it gives, and ask the pharmacist if you take other medicines, are pregnant, or have \
trouble with your stomach, liver or kidneys.

I would not take the antibiotics that are left from last winter. They do nothing against viruses, \
half a packet is not a full course even where they would help, they may be the wrong kind, and \
they can cause a rash, an upset stomach or worse. Taking them without need also makes it more \
likely that they will not work when you do need them. A pharmacy will dispose of them for you.

Whether a bacterium is behind it cannot be told from a description. A doctor or nurse can look at \
your throat and, where it is useful, take a swab, and will then decide with you whether a \
prescription makes sense. Please make an appointment if it is no better after a week, if it keeps \
coming back, or if the fever stays high for more than two or three days.

Get help at once if you find it hard to breathe, cannot swallow your own saliva, cannot open your \
mouth, have a stiff neck or a swelling on one side, or feel rapidly worse. The same goes for those \
whose immune system is weak, for instance during chemotherapy. If you are unsure, the telephone \
service for medical advice in your country can tell you where to go.

Until then a few habits make the days easier. Gargle with lukewarm salt water several times a day: \
half a teaspoon in a glass is enough, and children who might swallow it should not do it. Suck \
sweets without sugar, or ice, to keep the throat moist. Honey in tea soothes as well, but is not \
for babies in their first year. Sleep with your head a little higher, air the room before you \
go to bed, and leave out smoke and strong alcohol, which dry and irritate what is already sore.

Think of those around you, too. Wash your hands often, do not share glasses or cutlery, cough into \
your elbow, and stay at home while you have a fever. If somebody who lives with you has had a \
proven infection with bacteria, tell the doctor, because that makes one more likely for you.

Write down when the fever came and how high it was, what you took and when. It takes a minute, it \
helps whoever examines you, and it keeps you from taking the same painkiller twice because it is \
sold under two names.

As for what it may be: a cold comes with a runny nose, a cough and a hoarse voice, and the throat \
is only one of several complaints. Influenza begins suddenly, with a high fever and aching limbs. \
Glandular fever lasts longer, makes people very tired and swells the glands of the neck. An \
infection with bacteria more often comes without a cough, with coated tonsils and tender glands. \
None of this is certain enough to decide by, which is why somebody has to look.

If a doctor does prescribe antibiotics, take them as often and as long as you were told, even when \
you feel well before the end, and ask what to do if you forget a dose. Tell the doctor beforehand \
if a medicine has ever given you a rash or made it hard to breathe. A rash, swelling or bad \
diarrhoea while you take them is a reason to call at once. Yoghurt or other mild food with each \
dose is easier on the stomach, and the leaflet says which kinds of food and drink do not go with \
the medicine. Women who take the pill should ask whether it still protects them. I hope that you \
feel better soon.
"""


@dataclass(frozen=True, slots=True)
class Shared:
    """Prompt tokens that a server computed for one case.

    Attributes:
        jurors: How many were asked at once.
        alone: Prompt tokens computed for one juror.
        together: Prompt tokens computed for all of them.
        asked: Prompt tokens of all of them, cached ones included.
    """

    jurors: int
    alone: int
    together: int
    asked: int

    @property
    def ratio(self) -> float:
        return self.together / self.alone


class Counting:
    """Counts the prompt tokens of each juror's first request.

    A jury's own first words are put before each prompt, so that nothing which the
    server read for another jury is in its cache. They are as long for each: tokenizers
    take digits one by one.
    """

    def __init__(self, model: ChatModel) -> None:
        self._model = model
        self._salt = TextPart(f"Hearing {secrets.randbelow(10**16):016}.\n")
        self.asked = 0
        self.computed = 0
        self.trouble: str | None = None

    @property
    def name(self) -> str:
        return self._model.name

    @property
    def modalities(self) -> frozenset[Modality]:
        return self._model.modalities

    async def complete(self, request: ChatRequest) -> Completion:
        first, *others = request.messages
        salted = ChatMessage(first.role, (self._salt, *first.parts))
        try:
            completion = await self._model.complete(replace(request, messages=(salted, *others)))
        except ModelError as error:
            self.trouble = str(error)
            raise
        if request.call_id.endswith("/a0"):
            usage = completion.usage
            if usage.prompt_tokens is None or usage.cached_tokens is None:
                self.trouble = "the server does not count cached tokens (see the head of this file)"
                return completion
            self.asked += usage.prompt_tokens
            self.computed += usage.prompt_tokens - usage.cached_tokens
        return completion

    async def aclose(self) -> None:
        pass


def case_of(picture: Media | None, paragraphs: int) -> Case:
    """Build a case whose response has this many paragraphs."""
    scenario = load_taxonomy().scenarios[0]
    images = (picture,) if picture else ()
    query = Query("q1", scenario.id, QUESTION, Intent.BENIGN, images)
    words = "\n\n".join(ANSWER.split("\n\n")[:paragraphs])
    return Case("q1/t/0", query, Response(ResponseOutcome.ANSWERED, words), scenario.guideline)


async def ask(model: ChatModel, personas: Sequence[Persona], case: Case) -> Counting:
    """Ask a jury for its ballots, as the foreperson does, and return the count."""
    counting = Counting(model)
    # One token each: what the model would say matters to nobody here.
    seats = {p.name: Juror(p.name, p, counting, max_tokens=1) for p in personas}
    async with Jury(seats, PRESETS["vote"]) as jury:
        await jury.hear(case)
    if counting.trouble is not None:
        sys.exit(f"nothing was counted: {counting.trouble}")
    return counting


async def measure(model: ChatModel, sizes: Sequence[int], case: Case) -> Sequence[Shared]:
    """Measure sharing for juries of these sizes."""
    personas = bundled_personas()
    found: list[Shared] = []
    for size in sizes:
        alone = [(await ask(model, [persona], case)).computed for persona in personas[:size]]
        together = await ask(model, personas[:size], case)
        mean = round(sum(alone) / size)
        found.append(Shared(size, mean, together.computed, together.asked))
    return found


def row(shared: Shared, *, picture: bool) -> str:
    """Return a line of the table of `run.py`."""
    seen = ", with a picture" if picture else ""
    counts = f"{shared.together} / {shared.alone}; {shared.asked} without sharing"
    met = "yes" if shared.ratio <= MOST else "**no**"
    what = f"prompt tokens computed for {shared.jurors} jurors / for one{seen}"
    return f"| {what} | {shared.ratio:.2f} ({counts}) | at most {MOST} | {met} |"


async def main() -> None:
    options = _options()
    sees: frozenset[Modality] = frozenset({"text", "image"} if options.picture else {"text"})
    with tempfile.TemporaryDirectory(prefix="safejury-bench-") as folder:
        picture = None
        if options.picture:
            path = Path(folder) / "gradient.png"
            Image.radial_gradient("L").resize(SIZE).convert("RGB").save(path)
            picture = read_media(path, kind="image")
        model = EndpointModel(
            base_url=options.base_url, model=options.model, modalities=sees, timeout=600
        )
        try:
            case = case_of(picture, options.paragraphs)
            for shared in await measure(model, options.jurors, case):
                found = {**asdict(shared), "ratio": shared.ratio}
                line = row(shared, picture=options.picture)
                print(json.dumps(found) if options.json else line, flush=True)
        finally:
            await model.aclose()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--jurors", type=int, nargs="+", default=[3, 5], help="sizes of juries")
    parser.add_argument("--picture", action="store_true", help="let the query carry one")
    parser.add_argument("--paragraphs", type=int, default=9, help="of the response, 1 to 9")
    parser.add_argument("--json", action="store_true", help="print JSON lines, not rows")
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main())
