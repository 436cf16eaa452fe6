"""What a starting n8n answers: the page that it sends with 200 would count as a delivery."""

from __future__ import annotations

import subprocess

import pytest
from kette.n8n_runtime.node import find_node
from kette.n8n_runtime.project import find_project

PAGE = "n8n is starting up. Please wait"
# A server like n8n's; a response of each kind is printed as "<status> <retry-after> <body>".
SERVER = """
const http = require('node:http');
const answers = [
  (res) => res.end(PAGE),
  (res) => res.end(Buffer.from(PAGE)),
  (res) => { res.writeHead(200); res.end(PAGE); },
  (res) => { res.statusCode = 404; res.end(PAGE); },
  (res) => res.end(PAGE.toUpperCase()),
  (res) => res.end('stored'),
  (res) => { res.write('sto'); res.end('red'); },
  (res) => res.end(() => undefined),
  (res) => res.end(),
];
const server = http.createServer((req, res) => answers[Number(req.url.slice(1))](res));
server.listen(0, '127.0.0.1', async () => {
  for (const index of answers.keys()) {
    const res = await fetch(`http://127.0.0.1:${server.address().port}/${index}`);
    console.log(res.status, res.headers.get('retry-after'), await res.text());
  }
  server.close();
  process.exit(0);
});
"""


@pytest.fixture(scope="module")
def answers() -> list[str]:
    preload = find_project().runtime / "refuse-while-starting.cjs"
    program = f"const PAGE = {PAGE!r};\n{SERVER}"
    command = [str(find_node().node), "--require", str(preload), "-e", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.splitlines()


def test_the_page_is_a_refusal(answers: list[str]) -> None:
    assert answers[:2] == [f"503 5 {PAGE}"] * 2


def test_what_has_its_status_keeps_it(answers: list[str]) -> None:
    assert answers[2:4] == [f"200 null {PAGE}", f"404 null {PAGE}"]


def test_every_other_answer_stays_as_it_is(answers: list[str]) -> None:
    others = [f"200 null {PAGE.upper()}", "200 null stored", "200 null stored"]
    assert [line.strip() for line in answers[4:]] == [*others, "200 null", "200 null"]
