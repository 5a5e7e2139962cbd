"""The table of a cohort: every slide once, with its result or why it has none.

    python3 table.py slides.csv slides.json cohort.csv
"""

import csv
import json
import sys

slides, run, out = sys.argv[1:]
with open(slides, newline="", encoding="utf-8") as file:
    rows = [{"state": "done", **row, "error": ""} for row in csv.DictReader(file)]
with open(run, encoding="utf-8") as file:
    failed = [{"state": "failed", "path": slide["path"], "error": slide["error"]} for slide in json.load(file)["failed"]]
columns = list(dict.fromkeys(name for row in rows + failed for name in row))
with open(out, "w", newline="", encoding="utf-8") as file:
    writer = csv.DictWriter(file, columns, restval="")
    writer.writeheader()
    writer.writerows(sorted(rows + failed, key=lambda row: row["path"]))
print(f"{len(rows)} slides done, {len(failed)} failed: {out}")
