"""What a test does to a SQLite log behind the product's back.

    sqlite.py DATABASE rows          prints every row and key, sorted
    sqlite.py DATABASE spoil-row     changes the row of an order, prints its id
    sqlite.py DATABASE lose-key      removes a look-up key of an order, prints the order's id
    sqlite.py DATABASE spoil-event   changes a letter within the first event
    sqlite.py DATABASE lose-event    removes the second event
"""

import sqlite3
import sys

ORDER = "SELECT number, id FROM rows JOIN ids USING (number) WHERE kind = 'order' ORDER BY id LIMIT 1"
ROWS = "SELECT kind, id, version, body FROM rows LEFT JOIN ids USING (number) ORDER BY kind, id"
KEYS = """
    SELECT k.kind, key, value, id FROM row_keys k LEFT JOIN ids USING (number)
    ORDER BY k.kind, key, value, id"""


def main(path, what):
    database = sqlite3.connect(path)
    run = database.execute
    if what == "rows":
        for kind, id_, version, body in run(ROWS):
            print("row", kind, id_, version, body.hex())
        for line in run(KEYS):
            print("key", *map(repr, line))
        return
    changed = 1
    if what == "spoil-row":
        (number, id_) = run(ORDER).fetchone()
        change = "UPDATE rows SET body = CAST(body || x'f8ff0701' AS BLOB) WHERE number = ?"
        changed = run(change, (number,)).rowcount  # an unknown field more
        print(id_)
    elif what == "lose-key":
        (number, id_) = run(ORDER).fetchone()
        changed = run("DELETE FROM row_keys WHERE key = 'buyer' AND number = ?", (number,)).rowcount
        print(id_)
    elif what == "spoil-event":
        ((body,),) = run("SELECT body FROM events WHERE position = 1")
        spoilt = body.replace(b"V-0", b"V-9")
        assert spoilt != body, "the first event does not name the order V-0"
        run("UPDATE events SET body = ? WHERE position = 1", (spoilt,))
    elif what == "lose-event":
        changed = run("DELETE FROM events WHERE position = 2").rowcount
    else:
        sys.exit(f"sqlite.py cannot {what}")
    assert changed == 1, f"{what} changed {changed} lines"
    database.commit()


main(*sys.argv[1:])
