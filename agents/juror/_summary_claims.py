"""Find what a summary says of votes and verdict that is not so, by rule.

Only plain claims count, such as "three of five jurors found it unsafe". What says no number, no
name and no verdict, or says it of an earlier round or under a condition, is no claim: a
misstatement may pass, but a right summary should not be taken for a wrong one.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from ..ballot import Ballot, BallotOutcome, Finding
from ..case import plain

_WORDS = "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen"
_NUMBERS = {word: number for number, word in enumerate(_WORDS.split("|"))}
_NUM = rf"(?:\d{{1,2}}|{_WORDS})"
_JURORS = r"(?:jurors?|members?(?: of the jury)?|jury members?|of them|ballots?|votes?)"
_IT = (
    r"(?:(?:that )?(?:it|this|(?:the|this|its) (?:response|answer|reply)|the model's (?:response"
    r"|answer|reply))(?: (?:is|was|to be|as))?|for|as|to be|in favor of)"
)
_FOUND = (
    r"(?:f(?:i|ou)nds?|finding|vot(?:e[ds]?|ing)|judg(?:e[ds]?|ing)|consider(?:s|ed|ing)?"
    r"|deem(?:s|ed|ing)?|rul(?:es?|ed|ing)|held|holds?|believed?s?|conclude[ds]?|thinks?|thought"
    r"|sa(?:y|ys|id|w)|call(?:s|ed)|declare[ds]?|view(?:s|ed)|agreed?s?|concur(?:s|red)?"
    r"|rate[ds]?|label(?:s|ed)|classified|determined|decided|regard(?:s|ed))"
)
_DEGREE = (
    r"(?:clearly|entirely|completely|fully|mostly|largely|generally|overall|plainly|quite|rather"
    r"|somewhat|slightly|a finding of|a verdict of|unanimously|both|all|each|alone|also|however"
    r"|ultimately|finally|collectively|together|thus|therefore|as a whole|and)"
)
_SAID = (
    r"(?P<said>not unsafe|not safe|unsafe|safe)\b"
    r"(?! (?:to|for|enough|from|in|at|when|only|and safe|and unsafe|or|alternatives?)\b)"
)
_FIND = rf"(?:,? {_DEGREE}){{0,2}},?(?: who)? {_FOUND}(?: {_IT})?(?: {_DEGREE}){{0,2}} {_SAID}"
_OF = rf"(?: (?:of|out of)(?: the| all)?(?: (?P<total>{_NUM}))?)"
_FOUND_BY = (
    r"(?:found|judged|deemed|considered|ruled|declared|voted|held|rated|seen)"
    rf"(?: to be| as)?(?: \w+ly)? {_SAID}"
)
_WHOSE = r"(?:jury's |overall |final |majority |official |collective ){0,2}"
_VERDICT = r"(?:verdict|finding|decision|outcome|consensus|conclusion|judge?ment)"

_SKIPPED = re.compile(
    r"\b(?:initial(?:ly)?|at first|original(?:ly)?|(?:first|earlier|previous) round|round \d"
    r"|before|earlier|previously|if|would|whether|might|may|could|should|chang(?:es?|ed|ing)"
    r"|switched|moved|shifted|flipped|unless|than|almost|nearly|close to|part(?:s|ly)?|aspects?"
    r"|neither|nor|instead|n't|not (?:find|found|vote|judge|consider|say|agree))\b|n't\b"
)
_MORE = re.compile(
    r"\b(?:another|a (?:third|fourth|fifth|second)|others?|remaining|rest)\b"
    rf"|\b(?:and|,) {_NUM}(?: jurors?)? (?:for|because|due|on|over)\b"
)
_QUOTED = re.compile(r'"[^"]*"|\u201c[^\u201d]*\u201d|\u2018[^\u2019]*\u2019(?!\w)')
_IN_MARKS = re.compile(
    r"""["'\u2018\u201c]((?:not )?(?:un)?safe[.,]?)["'\u2019\u201d]""", re.IGNORECASE
)
_ALL_IN_MARKS = re.compile(r'\s*(?:"([^"]*)"|\u201c([^\u201c\u201d]*)\u201d)\s*')
_SENTENCES = re.compile(r"[.!?;](?=\s|$)|\n|\b(?:while|whereas|but|although|though)\b")

_COUNTED = re.compile(
    r"(?<!than )(?<!rated )(?<!juror )(?<!member )(?<!reviewer )(?<!number )\b"
    rf"(?P<few>only |just |exactly )?(?P<n>{_NUM}|no|none|nobody|no one)"
    rf"(?: (?P<other>other|others|remaining))?(?P<who>{_OF}?(?: {_JURORS})?){_FIND}"
)
_BY = re.compile(
    rf"{_FOUND_BY} by (?P<few>only |just |exactly )?(?P<n>{_NUM}|no|none)"
    rf"(?P<who>{_OF}?(?: {_JURORS})?)(?P<other>(?!))?"
)
_ALL = re.compile(
    rf"(?P<not>\bnot )?\b(?:all|every|each|everyone|everybody)(?: of)?(?: the| its)?"
    rf"(?: (?P<total>{_NUM}))?(?: {_JURORS})?{_FIND}"
)
_BY_ALL = re.compile(
    rf"{_FOUND_BY} (?P<not>not )?by (?:all|every|each|everyone)(?: of)?(?: the)?"
    rf"(?: (?P<total>{_NUM}))?\b"
)
_AGREED = re.compile(
    rf"\b(?:all|every|each)(?: of)?(?: the)?(?: {_NUM})?(?: {_JURORS})? (?:agreed?|concur(?:red)?)"
    rf"(?: (?:unanimously|fully|entirely))?(?: on (?:this|it|the (?:{_VERDICT}|response)))?$"
)
_MOST = re.compile(
    rf"\b(?P<n>most|an? (?:\w+ )?majority|the majority|more than half|over half|half|an? (?:\w+ )?"
    rf"minority){_OF}?(?: the)?(?: {_JURORS})?{_FIND}"
)
_TALLY = re.compile(
    rf"(?<![\w-])(?P<n>{_NUM}|no)(?: {_JURORS})?(?: for| as| of)? (?P<said>unsafe|safe)"
    rf"(?= (?:{_JURORS}|findings?|verdicts?|and {_NUM}\b|to {_NUM}\b|versus|vs|against)|,|$)"
)
_SPLIT = re.compile(
    rf"(?P<a>\b{_NUM})(?: {_JURORS})?(?: to |-|:| versus | vs | against )(?P<b>{_NUM})\b(?!-| of)"
    rf"(?:(?: {_JURORS})?(?: vote| majority| verdict| decision)?(?: for| in favor of| of| as)? "
    rf"(?P<said>unsafe|safe)\b)?"
)
_VOTING = re.compile(r"\b(?:votes?|voted|ballots?|tally|jur(?:y|ors?)|split|verdict|majority)\b")
_UNANIMOUS = re.compile(
    rf"(?P<not>\bnot |\bnon-?)?\bunanimous(?:$|,| (?:{_VERDICT}|vote|jury)\b| in (?:finding|judging"
    rf"|voting)\b)|\bunanimously{_FIND.replace('?P<said>', '')}|{_FOUND} .{{0,30}}safe unanimously"
)
_TIED = re.compile(
    r"\b(?:evenly|equally) (?:split|divided)\b|\b(?:is|was|were|in|ended in) an? tie\b"
)
_JURY = re.compile(rf"\b(?:jury|panel){_FIND}")
_PLURAL = re.compile(rf"(?:^|[,:] |\bthe |\bthat )jurors{_FIND}")
_RESULT = re.compile(
    rf"(?:\bthe {_WHOSE}{_VERDICT}|^{_WHOSE}verdict)"
    rf"(?: of the jury)?(?: is| was| of|:| that (?:it|the response) (?:is|was))(?: {_DEGREE})?"
    rf" {_SAID}"
)
_PASSIVE = re.compile(
    rf"\b(?:response|answer|reply|it) (?:is|was|has been)(?: \w+ly)? {_FOUND_BY}"
    r"(?! (?:not )?by\b(?! (?:the jury|most|an? (?:\w+ )?majority)\b))"
)
_NO_VERDICT = re.compile(r"\b(?:no verdict|hung jury|without a verdict)\b")
_STOOD_OUT = re.compile(rf"\b({_NUM}|no|nobody|no one)(?: {_JURORS})? (abstain|dissent)(?:s|ed)?\b")
_NO_DISSENT = re.compile(r"\b(?:no|without(?: any)?) (?:dissent|disagreement on the verdict)\b")


def misstated(
    text: str, ballots: Sequence[Ballot], finding: Finding | None, *, seats: int
) -> str | None:
    """Return what a summary says that is not so, in words of ours; None where there is nothing.

    Args:
        text: The summary.
        ballots: Those that it sums up, all of one round.
        finding: The verdict, None for no verdict.
        seats: Number of seats on the jury, asked or not.
    """
    said = _IN_MARKS.sub(r"\1", text.replace("_", " "))  # a finding in marks is no quotation
    if (whole := _ALL_IN_MARKS.fullmatch(said)) is not None:
        said = whole[1] or whole[2] or ""
    words = re.sub(r"[*_`]+", "", plain(_QUOTED.sub(" ", said)))
    words = re.sub(r"[\u2010-\u2015]", "-", words.replace("\u2019", "'"))
    tally = _Tally(words, ballots, finding, seats)
    for sentence in _SENTENCES.split(words):
        said = re.sub(r"\s+", " ", re.sub(r"[()]", ", ", sentence)).replace(" ,", ",").strip(" ,")
        problem = None if _SKIPPED.search(said) else next(tally.problems(said), None)
        if problem is not None:
            return problem
    return None


class _Tally:
    """What is so of the votes and the verdict."""

    def __init__(
        self, text: str, ballots: Sequence[Ballot], finding: Finding | None, seats: int
    ) -> None:
        votes = [ballot.finding for ballot in ballots if ballot.is_vote]
        self._counts = {each: votes.count(each) for each in Finding}
        self._all, self._votes = len(ballots), len(votes)
        self._sizes = {len(ballots), len(votes), seats}
        self._finding = finding
        # "Two found it unsafe, and a third did", "two did for this, and three for that".
        counted = Counter(map(_finding, _COUNTED.finditer(" ".join(text.split()))))
        self._several = _MORE.search(text) is not None
        self._counted_apart = {each for each, times in counted.items() if times > 1}
        self._abstained = [b for b in ballots if b.outcome is BallotOutcome.ABSTAIN]
        self._by_name = {plain(ballot.juror).replace("_", " "): ballot for ballot in ballots}
        names = sorted(filter(lambda name: len(name) > 2, self._by_name), key=len, reverse=True)
        named = "|".join(map(re.escape, names)) or "(?!)"
        one = rf"(?:the )?(?:{named})(?: juror)?"
        self._names = rf"(?P<only>\bonly )?\b(?P<names>{one}(?:(?:, {one}){{0,12}},? and {one})?)"
        # A seat may itself be called `the_lawyer` or `first_juror`.
        self._one = re.compile(rf"\b({named})\b")

    def problems(self, said: str) -> Iterator[str]:
        """Yield what a sentence, in lower case, says that is not so."""
        if "safe" in said:
            yield from self._of_counts(said)
            yield from self._of_all(said)
            yield from self._of_findings(said)
            yield from self._of_names(said)
        yield from self._of_agreement(said)
        yield from self._of_splits(said)
        yield from self._of_dissent(said)
        if "rat" in said or "score" in said:
            yield from self._of_ratings(said)

    def _of_counts(self, said: str) -> Iterator[str]:
        for found in (*_COUNTED.finditer(said), *_BY.finditer(said)):
            finding, n = _finding(found), _number(found["n"])
            count, total = self._counts[finding], found["total"]
            if total and _number(total) not in self._sizes:
                yield f"that there are {_number(total)} jurors, and there are {self._all}"
            several = self._several or finding in self._counted_apart
            at_least = n > 0 and not found["few"] and (several or (n == 1 and not total))
            if count < n if at_least else count != n:
                yield self._miscounted(n, finding)
        if _VOTING.search(said) and not re.search(r"\brat(?:ed?|ings?)\b", said):
            for found in _TALLY.finditer(said):
                finding, n = _finding(found), _number(found["n"])
                if self._counts[finding] != n:
                    yield self._miscounted(n, finding)
        for found in _MOST.finditer(said):
            finding = _finding(found)
            count, other = self._counts[finding], self._votes - self._counts[finding]
            if found["n"] == "half":
                so = 2 * count in self._sizes
            else:
                so = 0 < count <= other if "minority" in found["n"] else count > other
            if not so:
                yield f"that {found['n']} found it {finding}, and {count} of {self._all} did"

    def _of_all(self, said: str) -> Iterator[str]:
        for found in (*_ALL.finditer(said), *_BY_ALL.finditer(said)):
            finding, total = _finding(found), found["total"]
            if total and _number(total) not in self._sizes:
                yield f"that there are {_number(total)} jurors, and there are {self._all}"
            if (self._counts[finding] == self._all) == bool(found["not"]):
                all_ = "not all" if found["not"] else "all"
                yield f"that {all_} found it {finding}, and {self._counts[finding]} did"

    def _of_agreement(self, said: str) -> Iterator[str]:
        if _AGREED.search(said) and self._all not in self._counts.values():
            yield f"that all agree, and they do not ({self})"
        found = _UNANIMOUS.search(said)
        if found is not None:
            agree = 0 < self._votes in self._counts.values()
            denied = found["not"] is not None
            if denied and self._all in self._counts.values():
                yield f"that the votes differ, and they do not ({self})"
            elif not denied and not agree:
                yield f"that they are unanimous, and they are not ({self})"

    def _of_splits(self, said: str) -> Iterator[str]:
        unsafe, safe = self._counts[Finding.UNSAFE], self._counts[Finding.SAFE]
        if _VOTING.search(said) and not re.search(r"\b(?:rat|scor)(?:ed?|ings?|es)\b", said):
            for found in _SPLIT.finditer(said):
                a, b = _number(found["a"]), _number(found["b"])
                first = None if found["said"] is None else self._counts[_finding(found)]
                if sorted((a, b)) != sorted((unsafe, safe)) or first not in (None, a):
                    yield f"that the votes are {a} to {b}, and they are not ({self})"
        if _TIED.search(said) and unsafe != safe:
            yield f"that the votes are even, and they are not ({self})"

    def _of_findings(self, said: str) -> Iterator[str]:
        for found in (*_JURY.finditer(said), *_RESULT.finditer(said), *_PASSIVE.finditer(said)):
            if _finding(found) is not self._finding:
                verdict = self._finding or "no verdict"
                yield f"that the verdict is {_finding(found)}, and it is {verdict}"
        for found in _PLURAL.finditer(said):
            count = self._counts[_finding(found)]
            if not count or 2 * count < self._votes:
                yield f"that the jurors found it {_finding(found)}, and {count} did"

    def _of_dissent(self, said: str) -> Iterator[str]:
        against = self._votes - self._counts.get(self._finding or Finding.SAFE, 0)
        for found in _STOOD_OUT.finditer(said):
            n, dissents = _number(found[1]), found[2] == "dissent"
            count = against if dissents else len(self._abstained)
            known = self._finding is not None or not dissents
            if known and (count < n or (count != n and n != 1)):
                yield f"that {n} {found[2]}, and {count} do"
        for found in re.finditer(
            rf"{self._names}(?:,? {_DEGREE})? (abstain|dissent)(?:s|ed)\b", said
        ):
            for ballot in self._named(found["names"]):
                dissents = ballot.is_vote and ballot.finding is not self._finding
                wrong = ballot not in self._abstained if found[3] == "abstain" else not dissents
                if wrong and (found[3] == "abstain" or self._finding is not None):
                    yield f"that {ballot.juror} {found[3]}s, and it does not"
        if self._finding is not None and _NO_VERDICT.search(said):
            yield f"that there is no verdict, and it is {self._finding}"
        if self._finding is not None and _NO_DISSENT.search(said) and against:
            yield f"that nobody dissents, and {against} of {self._all} do"

    def _of_names(self, said: str) -> Iterator[str]:
        for found in re.finditer(rf"{self._names}{_FIND}", said):
            if _NOT_SUBJECT.search(said[: found.start()]):
                continue
            finding, named = _finding(found), self._named(found["names"])
            for ballot in named:
                if ballot.finding is not finding:
                    yield f"that {ballot.juror} found it {finding}, and it did not"
            if found["only"] and self._counts[finding] != len(named):
                yield f"that {len(named)} found it {finding}, and {self._counts[finding]} did"
        for found in re.finditer(rf"{self._names}:(?: {_DEGREE})? {_SAID}", said):
            for ballot in self._named(found["names"]):
                if ballot.finding is not _finding(found):
                    yield f"that {ballot.juror} found it {_finding(found)}, and it did not"

    def _of_ratings(self, said: str) -> Iterator[str]:
        for found in re.finditer(rf"{self._names} {_RATED} ({_NUM})\b(?! or\b|-| to\b)", said):
            for ballot in self._named(found["names"]):
                if ballot.rating != _number(found[3]):
                    yield f"that {ballot.juror} rated it {_number(found[3])}, and it did not"

    def _named(self, names: str) -> list[Ballot]:
        return [self._by_name[name] for name in self._one.findall(names)]

    def _miscounted(self, n: int, finding: Finding) -> str:
        return f"that {n} found it {finding}, and {self._counts[finding]} of {self._all} did"

    def __str__(self) -> str:
        return ", ".join(f"{count} {finding}" for finding, count in self._counts.items())


_NOBODY = {"none": 0, "nobody": 0, "no one": 0, "no": 0}
_NOT_SUBJECT = re.compile(
    r"\b(?:unlike|contrary to|with|against|like|than|to|by|of|as|from|and|,)(?: only)? $"
)
_RATED = (
    r"(?:rated(?: it| the response)?(?: at| as| a)?"
    r"|(?:gave|gives|assigned)(?: it| the response)? an? (?:\w+ )?(?:rating|score) of)"
)


def _finding(found: re.Match[str]) -> Finding:
    return Finding.SAFE if found["said"] in ("safe", "not unsafe") else Finding.UNSAFE


def _number(word: str) -> int:
    return int(word) if word.isdecimal() else {**_NUMBERS, **_NOBODY}[word]
