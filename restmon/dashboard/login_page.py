"""The login form as HTML."""

from jinja2 import Environment, PackageLoader, StrictUndefined

TEMPLATES = Environment(
    loader=PackageLoader("restmon.dashboard"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    keep_trailing_newline=True,
)


def login_page(action: str, then: str, email: str = "", problem: str = "") -> str:
    """Return the page with the login form.

    The form is sent to the path ``action``. After the login the browser goes to the path ``then``.
    ``email`` fills the form in again, and ``problem`` says why the last login failed.
    """
    template = TEMPLATES.get_template("login.html")
    return template.render(action=action, next=then, email=email, problem=problem)
