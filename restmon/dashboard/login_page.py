"""The page that asks for e-mail and password, as HTML. Plain data."""

from html import escape

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Log in · restmon</title>
<style>
:root {{ color-scheme: light dark; --main: #1D6FB8; --on-main: #FFFFFF; --edge: #8896A4;
  --box: #F3F6F9; --wrong: #B3261E; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --main: #5BA7E6; --on-main: #0A131C; --edge: #6B7A89; --box: #1B232C;
    --wrong: #FFB4AB; }}
  body {{ background: #11161C; }}
}}
* {{ box-sizing: border-box; }}
body {{ font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem; }}
main {{ width: min(24rem, 100%); }}
h1 {{ font-size: 1.75rem; margin: 0 0 .25rem; }}
p {{ margin: 0 0 1.25rem; }}
form {{ background: var(--box); border-radius: .75rem; padding: 1.5rem; display: grid;
  gap: .4rem; }}
label {{ font-weight: 600; font-size: .9rem; }}
input {{ font: inherit; padding: .6rem .75rem; border: 1px solid var(--edge); border-radius: .5rem;
  margin-bottom: .8rem; width: 100%; background: Canvas; color: CanvasText; }}
button {{ font: inherit; font-weight: 600; padding: .65rem; border: 0; border-radius: .5rem;
  background: var(--main); color: var(--on-main); cursor: pointer; }}
:focus-visible {{ outline: 3px solid var(--main); outline-offset: 2px; }}
[role=alert] {{ color: var(--wrong); font-weight: 600; }}
</style>
</head>
<body>
<main>
<h1>restmon</h1>
<p>Log in to see how often your stores were offline.</p>
{problem}
<form method="post" action="{action}">
<label for="email">E-mail</label>
<input id="email" name="email" type="email" autocomplete="username" required maxlength="254"
  value="{email}" {focus_email}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required
  maxlength="1024" {focus_password}>
<input type="hidden" name="next" value="{next}" hidden>
<button>Log in</button>
</form>
</main>
</body>
</html>
"""


def login_page(action: str, then: str, email: str = "", problem: str = "") -> str:
    """The page: its form is sent to the path ``action``, with the path to go to ``then``;
    ``problem`` is what was wrong with the last try."""
    said = f'<p role="alert">{escape(problem)}</p>' if problem else ""
    return PAGE.format(
        action=escape(action),
        next=escape(then),
        email=escape(email),
        problem=said,
        focus_email="" if email else "autofocus",
        focus_password="autofocus" if email else "",
    )
