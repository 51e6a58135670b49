"""TokenIssuer: signed, expiring, for one session and one role."""

import time

import jwt
import pytest

from blustream_widget.errors import TokenError
from blustream_widget.server.tokens import ROLES, TokenIssuer


@pytest.mark.parametrize("role", ROLES)
def test_a_token_says_session_and_role(role):
    issuer = TokenIssuer()
    person = "" if role == "owner" else "0123456789abcdef"
    assert issuer.check(issuer.issue("abc", role, person=person)) == ("abc", role, person)


@pytest.mark.parametrize(("role", "person"), [("viewer", ""), ("editor", ""), ("owner", "0" * 16)])
def test_a_guests_token_names_the_person_and_the_owners_names_none(role, person):
    issuer = TokenIssuer()
    with pytest.raises(TokenError):
        issuer.check(issuer.issue("abc", role, person=person))


def test_an_expired_token_is_refused_and_not_repeated():
    issuer = TokenIssuer()
    token = issuer.issue("abc", "owner", lifetime_s=-1)
    with pytest.raises(TokenError, match="expired") as failure:
        issuer.check(token)
    assert token not in str(failure.value)


def test_a_token_of_another_server_is_refused():
    with pytest.raises(TokenError):
        TokenIssuer().check(TokenIssuer().issue("abc", "owner"))


def claims(**changes):
    return {
        "aud": "blustream-viewer",
        "exp": time.time() + 60,
        "jti": "1",
        "sid": "abc",
        "role": "owner",
    } | changes


@pytest.mark.parametrize(
    "changes",
    [{"aud": "else"}, {"role": "admin"}, {"sid": 7}, {"jti": None}, {"exp": None}, {"role": None}],
)
def test_a_signed_token_with_wrong_claims_is_refused(changes):
    issuer = TokenIssuer()
    kept = {name: value for name, value in claims(**changes).items() if value is not None}
    token = jwt.encode(kept, issuer._secret, algorithm="HS256")
    with pytest.raises(TokenError):
        issuer.check(token)


def test_an_unsigned_token_is_refused():
    with pytest.raises(TokenError):
        TokenIssuer().check(jwt.encode(claims(), None, algorithm="none"))


def test_no_two_tokens_are_equal():
    issuer = TokenIssuer()
    assert issuer.issue("abc", "owner") != issuer.issue("abc", "owner")
