"""Who searches, as far as a request says it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["NOBODY", "Shopper"]


@dataclass(frozen=True)
class Shopper:
    """The ids and the place that come with one search; all may be missing.

    Attributes:
        user_id: Of somebody signed in.
        client_id: Of a device or browser.
        session_id: Of one visit.
        location: Country or region that the search comes from.
    """

    user_id: str | None = None
    client_id: str | None = None
    session_id: str | None = None
    location: str | None = None

    @property
    def actor_id(self) -> str | None:
        """The id that names the actor: the user's, else the client's, else the session's; blank ones name nobody.

        >>> Shopper(client_id="c1", session_id="s1").actor_id
        'c1'
        """
        ids = (self.user_id, self.client_id, self.session_id)
        return next((name for name in ids if name is not None and name.strip()), None)


NOBODY = Shopper()
"""A search of which nothing but its text is known."""
