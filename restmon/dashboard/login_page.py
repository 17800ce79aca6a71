"""The pages before a login, as HTML: the login form, and the form that sets a password."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from restmon.access.passwords import SHORTEST

TEMPLATES = Environment(
    loader=PackageLoader("restmon.dashboard"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    keep_trailing_newline=True,
)


def login_page(action: str, then: str, email: str = "", problem: str = "", notice: str = "") -> str:
    """Return the page with the login form.

    The form is sent to the path ``action``. After the login the browser goes to the path ``then``.
    ``email`` fills the form in again. ``problem`` says why the last login failed, ``notice`` what
    was done.
    """
    template = TEMPLATES.get_template("login.html")
    return template.render(action=action, next=then, email=email, problem=problem, notice=notice)


def password_page(action: str, login: str, token: str, email: str, problem: str = "") -> str:
    """Return the page with the form that sets the password of an account by a link's ``token``.

    The form is sent to the path ``action``. Without an ``email`` there is no form, but a link to
    the path ``login``. ``problem`` says what is wrong.
    """
    template = TEMPLATES.get_template("password.html")
    return template.render(
        action=action, login=login, token=token, email=email, problem=problem, shortest=SHORTEST
    )


def acknowledge_page(
    action: str, token: str, title: str, problem: str = "", *, done: bool = False
) -> str:
    """Return the page with the button that acknowledges the alert of a link's ``token``.

    The form is sent to the path ``action``. ``title`` says what the alert is of. It has no button
    if the alert is ``done``, or with a ``problem``, which says what is wrong.
    """
    template = TEMPLATES.get_template("acknowledge.html")
    return template.render(action=action, token=token, title=title, problem=problem, done=done)
