"""Why a message was not sent. What it says is stored and logged, so it holds no secret."""

from __future__ import annotations


class SendFailed(Exception):
    """A receiver did not accept a message; raised by each way out, caught by whoever sends.

    permanent: the receiver will never accept this message, so it is not tried again. gone: it will accept no
    message at all. of_receiver: the failure is the receiver's, not the message's, so the next message would
    most likely fail as well. retry_after: seconds that the receiver asked to be left alone, if it did.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        gone: bool = False,
        of_receiver: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.gone = gone
        self.of_receiver = of_receiver
        self.retry_after = retry_after
