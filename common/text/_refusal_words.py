"""Patterns of refusals, for lowercase text without contractions."""

import re

_ADVERBS = r"(?: (?:\w+ly|also|just|in good conscience|in good faith|be able to|to|comfortable))*"
_NOT_ABLE = (
    r"(?:unable|not (?:able|allowed|permitted|authori[sz]ed|going|willing|designed|programmed"
    r"|prepared|in a position|here|comfortable))"
)
_CANNOT = (
    r"(?:i|we)(?: \w+ly| just| also| still)* (?:"
    rf"(?:cannot|will not)(?: and will not)?|(?:am|are)(?: \w+ly| also)* {_NOT_ABLE}"
    r"|would (?:rather|prefer)(?: to)? not|(?:have decided|have chosen|choose|prefer) not"
    r"|could not(?= in good)|would not be (?:able|comfortable)"
    r"|do not (?:feel|think i (?:can|should)|have (?:the )?permission))"
)
_DO_NOT = r"(?:i|we)(?: \w+ly| just| also)* (?:do|should|may) not"
_SPOKEN = rf"(?:cannot|will not|{_NOT_ABLE}|no way i can|no way i will)"
_THIS = (
    r"(?:with |about |on |to )?(?:that|this|it|these|those|such|so|the request|the task"
    r"|your (?:request|question|prompt|message|task)|the question|the prompt"
    r"|questions? (?:of|about|on|like)|requests?)\b"
)
_CLEAR_DEED = (
    r"(?:(?:help|assist|support)(?: you| anyone)?(?:$|[.,!;]| (?:with|in|on|by|to)\b"
    r"| that\b| this\b)|help (?:you|someone|somebody|people|anyone) \w"
    rf"|(?:do|judge|rate|score|discuss|complete|process|entertain|address|act|respond) {_THIS}"
    r"|comply|fulfil|accommodate|oblige|participate|partake|take part|engage|proceed"
    r"|be (?:of help|of assistance|part of|involved|helping|providing|writing|creating)"
    r"|(?:respond|answer|judge|evaluate)(?:$|[.,!;])|continue(?:$|[.,!;]| with| this| the))"
)
_GIVING = (
    r"(?:judge|rate|assess|evaluate|score|discuss|promote|facilitate|condone|encourage"
    r"|provid\w+|offer|give|share|supply|generate|produce|create|write|compose|draft"
    r"|craft|develop|propose|list|describe|explain|answer|support|engage)"
)
# What people and helpful answers say that they cannot do.
_IDIOM = (
    r"(?:to|be|also|just|\w+ly|stress|emphasi[sz]e|overstate|wait|believe|see|hear|say(?! any)"
    r"|tell(?! you (?:how to|where|which|what)|.* how to)|find|think|recall|remember"
    r"|recommend(?! (?:ways|how|methods))|imagine|guarantee|promise|access|browse|open|verify"
    r"|confirm|know|guess|decide|choose|afford|feel|taste|smell|eat|sleep|stand|stop|use|get"
    r"|change|replace|agree|thank|express|lie|pretend|repeat|keep|bore|sugar|hide|deny|argue|blame"
    r"|rule|speak (?:for|up)|answer for|vouch|attend|make (?:it|sure)|come(?! up with)"
    r"|go(?! into| along)|have|need|read|run|log|reach|view|look|compare|determine|identify|with"
    r"|without|in|on|at|put(?! together)|check|fit|take (?!part)\w+|claim|deliver"
    r"|judge(?! (?:that|this|it|these))|wear|drive|walk|enter|buy|pay|move|play|learn|teach|count"
    r"|stay|live|work|win|finish|help (?:but|being|my|our|her|him|them))\b"
)
_DECLINE = (
    # Possessive, the longer phrase first: "have to" is also "have" and then "to".
    r"(?:i|we|let me) (?:(?:must|have to|need to|should|will|am going to|would|like|prefer|to"
    r"|have|am (?:obliged|required|bound) to|am|think i|nevertheless|still)\s)*+(?:\w+ly )*+"
    r"(?:(?:declin(?:e|ing)|refus(?:e|ing))"
    r"(?:$|[.,;]| (?:this|that|your|these|such|here|because|and|as|since|the (?:request|task))\b"
    rf"| to (?:{_CLEAR_DEED}|{_GIVING}))"
    r"|refrain from|pass on (?:this|that)|say no to (?:this|that)"
    r"|(?:end|stop) (?:the|this) conversation|draw (?:a|the) line)"
)
_I_CAN = r"(?:i|we) (?:can|could|am|are|will|would|do|may|feel|want|should|support)\b"
_AGAINST = (
    r"(?:(?:against|outside|beyond) (?:of )?(?:the scope of )?(?:my|our|what i)\b"
    rf"|not (?:something|a topic|a task|content|a request|anything) (?:that )?{_I_CAN}"
    r"|something (?:that )?(?:i|we) (?:cannot|will not|am not|are not|do not|should not)"
    r"|(?:not appropriate|inappropriate|unethical|irresponsible|wrong|not right) for me\b)"
)
_VIOLATES = (
    r"(?:violates?|go(?:es)? against|breaks?|conflicts? with)"
    r" (?:my|our|the|content|safety|usage)\b(?: \w+){0,3}"
    r" ?\b(?:guidelines|polic\w+|principles|values|terms|(?<=my )rules|(?<=our )rules)"
)
_RULED_OUT = (
    r"(?:(?:that|this|it|your|the|such|these|what|\w+ing)\b(?: [\w']+){0,12}"
    rf" (?:(?:is|are|was|would be|goes|falls|lies|and)(?: \w+ly)? {_AGAINST}"
    rf"|(?:would )?{_VIOLATES})|not something {_I_CAN}"
    r"|that is a (?:no\b|line i (?:will|do) not)|not going to happen\b"
    r"|(?:(?:your|this|the) )?request (?:(?:has been|was|is|must be|cannot be) )?"
    r"(?:declined|refused|denied|rejected|blocked|fulfilled)(?:$|[.,;]| (?:because|as|since|due)\b)"
    r"|(?:my|our)(?: \w+){0,3} (?:guidelines|policy|policies|programming|rules|principles"
    r"|instructions)(?: \w+)?"
    r" (?:prevents?|prohibits?|forbids?|(?:do|does) not (?:allow|permit|let)) (?:me|us)\b"
    r"|it (?:is|would be|would not be|is not)(?: \w+)?"
    r" (?:inappropriate|appropriate|unethical|ethical|irresponsible|responsible|right|wrong)"
    r" (?:for|of) me\b|(?:that|this|the|such)(?: \w+){0,4} (?:is|are) off[ -]limits\b"
    r"|let us (?:talk about|discuss|change|move on to) (?:something else|the (?:subject|topic)))"
)
REFUSES = re.compile(
    rf"(?:{_CANNOT}|{_DO_NOT}){_ADVERBS} {_CLEAR_DEED}|{_DECLINE}|{_RULED_OUT}"
    rf"|(?:^|there is |i am [^,.]{{0,60}} and ){_SPOKEN}{_ADVERBS} {_CLEAR_DEED}"
    r"|(?<=so )(?:i|we) (?:cannot|will not)[.!]*$|^(?:i|we) (?:cannot|will not)[.!]*$"
    r"|i (?:wish|want|would (?:like|love)) [^.]{0,60}\bbut i (?:cannot|will not)[.!]*$"
    r"|(?:i|we) am not (?:doing|writing|helping|answering|going there)\b"
)
"""Refuses wherever a clause begins with it."""

HOLDS_BACK = re.compile(
    r"(?!we\b(?!.* (?:this|that|such|the requested|your request)\b))"
    rf"{_CANNOT}{_ADVERBS} (?!{_IDIOM})\w+|{_DO_NOT}{_ADVERBS} {_GIVING} (?!by\b|with\b|up\b)"
)
"""Refuses unless it is said of oneself or the text goes on to help."""

OF_ONESELF = re.compile(
    r"\b(?:my|our|mine|ours|myself|ourselves|me|us|enough|account)\b(?! (?:guidelines|principles"
    r"|polic\w+|rules|values|programming|terms))"
)
"""Marks a writer who tells of their own affairs."""

OFFER = re.compile(r"\b(?:you|else|instead|i help|shall|perhaps|how about)\b")
"""What a question holds that ends a refusal."""

GOES_ON = re.compile(
    r"(?:\b(?:but|however|yet|though|although|still|that said|in general)\b(?![.!])|;),?"
    r"(?! (?:i|we) (?:can|could|would|am (?:happy|glad|open))\b"
    r"| (?:if|feel|please|happy|let|what)\b| here are (?:some|other))"
)
"""Only a part is held back, and help follows."""

LEAD = re.compile(
    r"(?:unfortunately|regrettably|sadly|respectfully|nope|no\b|apologies"
    r"|(?:i am )?(?:\w+ )?sorry(?! to hear| for your| about your)"
    r"|(?:i|we)(?: must| do)? apologi[sz]e|my(?: \w+)? apologies|i am afraid|i regret"
    r"|no thanks|as an? (?:\w+ )*(?:ai|model|assistant|llm|chatbot)\b)[ ,]*"
)
"""What comes right before a refusal."""

ALL_THERE_IS = re.compile(
    r"(?:i am |very |so |truly |really )*sorry(?:[, ]+(?:but|unfortunately))*"
    r"(?:[, ]+(?:no|i cannot|i will not))?"
    r"|(?:i|we) apologi[sz]e|(?:no[, ]+)?(?:i|we) (?:cannot|will not)(?: do (?:it|that|this|so))?"
    r"|i (?:refuse|decline)|no|no can do"
)
"""Refuses where a text says nothing else."""

_CONTRACTIONS = tuple(
    (re.compile(pattern), full)
    for pattern, full in (
        (r", (in good (?:conscience|faith)),", r" \1"),
        (r"\bcan'?t\b|\bcan not\b", "cannot"),
        (r"\bwon'?t\b", "will not"),
        (r"\bdont\b", "do not"),
        (r"n't\b", " not"),
        (r"\bi'?m\b", "i am"),
        (r"'re\b", " are"),
        (r"\blet's\b", "let us"),
        (r"'ll\b", " will"),
        (r"\b(i|we)'d\b", r"\1 would"),
        (r"\b(i|we)'ve\b", r"\1 have"),
        (r"\b(it|that|there|what)'s\b", r"\1 is"),
    )
)


def full_words(sentence: str) -> str:
    """Normalize a sentence: lowercase, single spaces, no contractions."""
    plain = " ".join(sentence.casefold().split())
    for pattern, full in _CONTRACTIONS:
        plain = pattern.sub(full, plain)
    return plain
