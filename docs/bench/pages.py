#!/usr/bin/env python3
"""How long the consoles' pages take with 1,000,000 finished activations and 10,000 that wait for a person.

    docs/bench/pages.py target/release/eencent FOLDER [FINISHED [WAITING]]

Makes an installation on the embedded default in FOLDER (about 2.7 GB, two minutes), where there is none yet, signs in to
both consoles as a person does, and prints the median and the slowest of fifteen of each page. Only for measuring: rows are
written past the program, without the hashes that bind the audit.
"""
import base64
import hashlib
import hmac
import http.client
import os
import re
import sqlite3
import statistics
import struct
import subprocess
import sys
import time
import urllib.parse

STAFF, OPERATIONS = 19081, 19082
BEGAN = 1_780_000_000_000_000
REASONS = '[{"code":"other_name","text":"This is another name.","text_nl":"Dit is een andere naam."}]'
RECORD = '{"asked":{"legal_name":"Bakkerij B.V.","trade_names":[]},"decision":{"outcome":"unclear","compared":[]}}'


def fill(file, finished, waiting):
    """Rows as the program leaves them: finished ones first, then those under review, as many that wait for payment, and
    fifty payments that name nobody."""
    everything = finished + 2 * waiting
    of = f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {everything - 1}) "
    is_finished, is_reviewed = f"i < {finished}", f"i >= {finished} AND i < {finished + waiting}"
    act, org, at = "printf('act_%08d', i)", "printf('org_%08d', i)", f"{BEGAN} + i * 1000000"
    state = f"CASE WHEN {is_finished} THEN 'activated' WHEN {is_reviewed} THEN 'under_review' ELSE 'awaiting_payment' END"
    history = "INSERT INTO history (activation_id, number, previous, at, happening, from_state, to_state, actor, reason) "
    statements = [
        "INSERT INTO organisations (id, environment, legal_name, trade_names, legal_form, country, names_source, creator, language, "
        f"active, activated_at, created_at, changed_at, creator_hash) {of} SELECT {org}, 'env' || (i % 5000), "
        "'Bakkerij ' || printf('%x', i * 7919) || ' Nummer ' || i || ' B.V.', '[]', 'Besloten Vennootschap', 'NL', 'register', "
        "'{\"name\":\"Anna Jansen\",\"email\":\"a' || (i % 700000) || '@example.nl\",\"language\":\"nl\",\"role\":\"administrator\"}', 'nl', "
        f"{is_finished}, CASE WHEN {is_finished} THEN {at} END, {at}, {at}, 'h' || (i % 700000) FROM n",
        f"INSERT INTO identifiers (organisation_id, position, scheme, value, active) {of} "
        f"SELECT {org}, 0, 'NL:KVK', printf('%08d', 10000000 + i), {is_finished} FROM n",
        f"{history}{of} SELECT {act}, 1, NULL, {at}, 'started_ideal', 'none', 'awaiting_payment', 'key shop', '' FROM n",
        f"{history}{of} SELECT {act}, 2, 1, {at} + 60000000, CASE WHEN {is_finished} THEN 'paid_clear' ELSE 'paid_unclear' END, "
        f"'awaiting_payment', CASE WHEN {is_finished} THEN 'approved' ELSE 'under_review' END, 'system', '' FROM n "
        f"WHERE {is_finished} OR {is_reviewed}",
        f"{history}{of} SELECT {act}, 3, 2, {at} + 61000000, 'activated_at_once', 'approved', 'activated', 'system', '' FROM n WHERE {is_finished}",
        "INSERT INTO activations (id, organisation_id, method, reference, amount_minor, currency, completion, identifier_scheme, "
        f"identifier_value, started_by, state, version, created_at, reasons) {of} SELECT {act}, {org}, 'ideal', printf('RF%014d', i), 1, "
        f"'EUR', 'link', 'NL:KVK', printf('%08d', 10000000 + i), 'key shop', {state}, CASE WHEN {is_finished} THEN 3 WHEN {is_reviewed} "
        f"THEN 2 ELSE 1 END, {at}, CASE WHEN {is_reviewed} THEN '{REASONS}' ELSE '[]' END FROM n",
        "INSERT INTO payments (id, account, payment_id, provider, endpoint, mode, mode_fits, status, amount_minor, currency, holder_name, "
        "account_number, paid_at_proven, name_proven, received_at, activation_id, standing, changed_at, account_hash) "
        f"{of} SELECT printf('pay_%08d', i), 'mollie', 'tr_' || i, 'mollie', 'mollie', 'live', 1, 'paid', 1, 'EUR', 'Bakkerij 12ab', "
        f"'{{\"iban\":\"NL91ABNA0417164300\"}}', 1, 1, {at}, CASE WHEN i < {finished + waiting} THEN {act} END, "
        f"CASE WHEN i < {finished + waiting} THEN 'counts' ELSE 'unallocated' END, {at}, 'ah' || (i % 900000) FROM n "
        f"WHERE i < {finished + waiting + 50}",
        f"INSERT INTO decisions (activation_id, number, at, outcome, record) {of} SELECT {act}, 2, {at}, 'approved', '{RECORD}' FROM n "
        f"WHERE i < {finished + waiting}",
        "INSERT INTO emails (id, email_key, activation_id, number, kind, language, recipient, data, message_id, created_at, give_up_at, "
        f"state, sent_at) {of} SELECT printf('eml_%08d', i), 'k' || i, {act}, 2, 'activated', 'nl', 'a@example.nl', '{{}}', "
        f"'<' || i || '@x>', {at}, {at}, 'sent', {at} FROM n WHERE i < {finished + waiting}",
        "INSERT INTO reviews (activation_id, state, since, method, provider, codes) "
        f"{of} SELECT {act}, 'under_review', {at}, 'ideal', 'mollie', ' other_name ' FROM n WHERE {is_reviewed}",
        "INSERT INTO verdicts (activation_id, number, at, month, outcome, codes) "
        f"{of} SELECT {act}, 2, {at}, '2026-' || printf('%02d', 1 + i % 11), CASE WHEN i % 3 THEN 'approved' ELSE 'rejected' END, "
        "' other_name ' FROM n WHERE i < 100000",
        f"INSERT INTO notifications (id, endpoint, provider, account, mode, received_at, request_id, proven_by, headers, body) {of} "
        f"SELECT printf('ntf_%08d', i), 'mollie', 'mollie', 'mollie', 'live', {at}, 'req_' || i, 'signature', '[]', x'7b7d' FROM n "
        f"WHERE i < {finished + waiting}",
        "INSERT INTO events (id, notification_id, account, event_id, kind, payment_id, told, received_at, state, processed_at, activation_id) "
        f"{of} SELECT printf('evt_%08d', i), printf('ntf_%08d', i), 'mollie', 'e' || i, 'payment', 'tr_' || i, '{{}}', {at}, 'processed', "
        f"{at}, {act} FROM n WHERE i < {finished + waiting}",
    ]
    for word in ("'bakkerij'", "printf('%x', i * 7919)", "'nummer'", "CAST(i AS TEXT)"):
        statements.append(f"INSERT OR IGNORE INTO name_words (word, organisation_id) {of} SELECT {word}, {org} FROM n")
    rows = sqlite3.connect(file, isolation_level=None)
    rows.execute("PRAGMA synchronous = OFF")
    rows.execute("PRAGMA cache_size = -1000000")
    rows.execute("PRAGMA foreign_keys = OFF")
    rows.execute("BEGIN")
    for number, statement in enumerate(statements, 1):
        print(f"\rfilling {number} of {len(statements)}", end="", flush=True)
        rows.execute(statement)
    rows.execute("COMMIT")
    rows.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    print()


def ask(port, method, path, cookie=None, form=None):
    """One request on a connection of its own: status, headers, body."""
    headers = {"cookie": cookie} if cookie else {}
    body = urllib.parse.urlencode(form) if form else None
    if form:
        headers["content-type"] = "application/x-www-form-urlencoded"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read().decode()


def sign_in(program, environment):
    """Somebody is added, and accepts: the cookie of the session."""
    who = f"meter-{time.time_ns()}@example.nl"
    roles = ["--role", "lead", "--role", "operations", "--role", "administrator"]
    added = [program, "user", "add", "--email", who, "--name", "Meter", *roles]
    link = subprocess.run(added, env=environment, capture_output=True, text=True, check=True).stdout.strip()
    path = link[link.index("/invitation/"):]
    secret = re.search(r'class="secret">([^<]+)', ask(STAFF, "GET", path)[2]).group(1).replace(" ", "")
    step = struct.pack(">Q", int(time.time()) // 30)
    digest = hmac.new(base64.b32decode(secret), step, hashlib.sha1).digest()
    at = digest[19] & 15
    code = f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7FFFFFFF) % 10**6:06}"
    chosen = "de fiets staat buiten"
    return ask(STAFF, "POST", path, form={"password": chosen, "again": chosen, "code": code})[1]["set-cookie"].split(";")[0]


def measure(port, cookie, path, form=None):
    """Prints the median and the slowest of fifteen."""
    taken, status = [], 0
    for _ in range(15):
        began = time.perf_counter()
        status, _, _ = ask(port, "POST" if form else "GET", path, cookie, form)
        taken.append((time.perf_counter() - began) * 1000)
    of = f" {form.get('sought') or form.get('act')}" if form else ""
    print(f"{statistics.median(taken):8.1f} {max(taken):8.1f} ms  {status}  {path}{of}", flush=True)


def main():
    program, folder = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    finished = int(sys.argv[3]) if len(sys.argv) > 3 else 1_000_000
    waiting = int(sys.argv[4]) if len(sys.argv) > 4 else 10_000
    os.makedirs(folder, exist_ok=True)
    os.chdir(folder)
    environment = dict(
        os.environ,
        EENCENT__LISTEN__PUBLIC="127.0.0.1:0",
        EENCENT__LISTEN__STAFF=f"127.0.0.1:{STAFF}",
        EENCENT__LISTEN__OPERATIONS=f"127.0.0.1:{OPERATIONS}",
        EENCENT__WEBHOOKS__MOLLIE__PROVIDER="mollie",
        EENCENT__WEBHOOKS__MOLLIE__SECRETS="for-measuring-only",
    )
    if not os.path.exists("eencent-data/eencent.db"):
        subprocess.run([program, "migrate"], env=environment, check=True)
        fill("eencent-data/eencent.db", finished, waiting)
    with open("log", "w", encoding="utf-8") as log:
        server = subprocess.Popen([program, "serve"], env=environment, stdout=log, stderr=log)
    try:
        while True:
            try:
                if ask(OPERATIONS, "GET", "/ready")[0] == 200:
                    break
            except OSError:
                pass
            if server.poll() is not None:
                sys.exit(f"the server ended; {folder}/log says why")
            time.sleep(0.1)
        cookie = sign_in(program, environment)
        one, done = f"act_{finished + waiting // 2:08}", f"act_{finished // 2:08}"
        print("  median  slowest")
        for path in ("/queue", "/queue?reason=other_name&provider=mollie", "/queue?whose=nobody&older=24", f"/activations/{one}",
                     f"/activations/{done}", "/schedule", "/payments", "/report", "/report?month=2026-03&code=other_name", "/people"):
            measure(STAFF, cookie, path)
        page = ask(STAFF, "GET", f"/activations/{one}", cookie)[2]
        token = re.search(r'name="token" value="([^"]+)', page).group(1)
        version = re.search(r'name="version" value="(\d+)', page).group(1)
        for sought in ("Bakkerij 12ab", "bakkerij", "bakkerij nummer", "bakkerij nummer zzz", f"{10000000 + finished // 2}", "a5@example.nl"):
            measure(STAFF, cookie, "/search", {"token": token, "sought": sought})
        meant = {"token": token, "act": "approve", "reason": "measured", "version": version}
        measure(STAFF, cookie, f"/activations/{one}/foresee", meant)
        for path in ("/", "/notifications", "/queue/event", "/queue/email", "/queue/approval", "/queue/delivery", "/apart", "/refusals",
                     "/audit", f"/notifications/ntf_{finished // 2:08}", f"/row/eml_{finished // 2:08}", "/replay", "/schedules/purge", "/metrics"):
            measure(OPERATIONS, cookie, path)
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main()
