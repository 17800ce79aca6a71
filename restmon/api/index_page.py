"""The API's page for people."""

import html

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>restmon API</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.6 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto;
  padding: 0 1rem; }}
pre {{ background: #8881; border: 1px solid #8884; border-radius: 6px; padding: .7rem .9rem;
  overflow-x: auto; }}
h2 {{ margin-top: 2rem; font-size: 1.15rem; }}
</style>
</head>
<body>
<h1>restmon API</h1>
<p>How often, and for how long, stores were offline during business hours.</p>
<h2>1. Import your files</h2>
<pre>curl -F polls=@polls.csv -F business_hours=@hours.csv -F timezones=@zones.csv \\
  "{origin}/import_data?wait=true"</pre>
<h2>2. Ask for a report</h2>
<pre>curl -X POST {origin}/trigger_report</pre>
<h2>3. Get it</h2>
<pre>curl "{origin}/get_report?report_id=THE_ID"
curl -OJ "{origin}/get_report?report_id=THE_ID&amp;format=csv"</pre>
<h2>More</h2>
<ul>
<li><a href="/docs">/docs</a>: every route, with an example of each</li>
<li>/stores, /groups, <a href="/targets">/targets</a>: how stores are now, and their targets</li>
<li><a href="/export_data?kind=business_hours">/export_data?kind=…</a>: a feed as CSV</li>
<li><a href="/data_check">/data_check</a>: what is likely wrong with the data</li>
<li><a href="/healthz">/healthz</a>: whether database, queue and worker are well</li>
<li><a href="/metrics">/metrics</a>: requests, queue, workers, ages, for Prometheus</li>
<li><a href="/openapi.json">/openapi.json</a>: every route and answer, as OpenAPI 3.1</li>
</ul>
</body>
</html>
"""


def index_page(origin: str) -> str:
    """Return the page as HTML; ``origin`` is the API's address, not escaped."""
    return PAGE.format(origin=html.escape(origin))
