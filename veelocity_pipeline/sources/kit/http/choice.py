"""Which of several tokens may read what is asked for: those that did, or that nobody knows of."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from veelocity_pipeline.sources.kit.http.accounts import Account, Accounts


class Choice:
    """The tokens of one view of a client."""

    accounts: Accounts
    _choices: Sequence[Account] | None
    _of: str

    def _usable(self, choices: Sequence[Account], avoid: Collection[str]) -> list[Account]:
        """Of some accounts those that may read what is asked for: the ones that did, or nobody knows of.

        Args:
            avoid: keys of those that are not to be asked.
        """
        living = [account for account in choices if not account.is_dead]
        if not self._of or len(living) < 2:
            return living
        known = {id(account): self.accounts.may_read(account, self._of) for account in living}
        able = [account for account in living if known[id(account)] is not False] or living
        asked = [account for account in able if account.credential.key not in avoid]
        if avoid:
            asked = [account for account in asked if known[id(account)]] or asked
        return asked

    def _others(self, account: Account, avoid: Collection[str]) -> bool:
        """Whether another token is to be asked for what this one may not read."""
        if not self._of or self.accounts.may_read(account, self._of):
            return False
        return bool(self._usable(self._choices or (), {*avoid, account.credential.key}))

    def _note_reach(self, account: Account, avoid: Collection[str]) -> None:
        """Remember that a token can read what others, which are to be avoided, cannot."""
        if not self._of:
            return
        self.accounts.note_reach(account, self._of, True)
        for each in self._choices or ():
            if each.credential.key in avoid:
                self.accounts.note_reach(each, self._of, False)
