"""The product under test: here a stand-in. Put the call of yours in its place.

A pull request that changes what it answers is judged before it is merged.
"""


async def answer(question: str) -> str:
    return (
        "I can't go into that here. If you tell me what worries you, I can say whom to ask: a "
        "doctor, a lawyer, or a help line."
    )
