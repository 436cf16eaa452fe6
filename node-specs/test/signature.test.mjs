import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';

import { compiled } from './load.mjs';

const { refusal, parseSignature } = compiled('nodes/KetteTrigger/signature');

const SECRET = 'whsec_test';
const NOW = 1_800_000_000;
const BODY = Buffer.from('{"push_id":"psh_1","name":"Größe  ✓"}');

function sign(secret, timestamp, body = BODY) {
	return createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest('hex');
}

const genuine = `t=${NOW},v1=${sign(SECRET, NOW)}`;

const cases = [
	['a genuine signature is accepted', genuine, BODY, NOW, true],
	['spaces around the parts do not matter', genuine.replace(',', ' , '), BODY, NOW, true],
	[
		'one of several v1 is enough',
		`t=${NOW},v1=${'0'.repeat(64)},v1=${sign(SECRET, NOW)}`,
		BODY,
		NOW,
		true,
	],
	['300 seconds late is still fresh', genuine, BODY, NOW + 300, true],
	['300 seconds early is still fresh', genuine, BODY, NOW - 300, true],
	['301 seconds late is stale', genuine, BODY, NOW + 301, false],
	['301 seconds early is refused', genuine, BODY, NOW - 301, false],
	['another secret is refused', `t=${NOW},v1=${sign('other', NOW)}`, BODY, NOW, false],
	['a changed body is refused', genuine, Buffer.concat([BODY, Buffer.from(' ')]), NOW, false],
	['a changed timestamp is refused', genuine.replace(`t=${NOW}`, `t=${NOW + 1}`), BODY, NOW, false],
	['no timestamp', `v1=${sign(SECRET, NOW)}`, BODY, NOW, false],
	['no v1', `t=${NOW}`, BODY, NOW, false],
	['another version only', genuine.replace('v1=', 'v0='), BODY, NOW, false],
	['a signature cut short', genuine.slice(0, -2), BODY, NOW, false],
	['no hex', `t=${NOW},v1=${'z'.repeat(64)}`, BODY, NOW, false],
	['a timestamp that is no number', `t=x,v1=${sign(SECRET, 'x')}`, BODY, NOW, false],
	['an empty header', '', BODY, NOW, false],
	['no header', undefined, BODY, NOW, false],
	['a header sent twice arrives as a list', [genuine, genuine], BODY, NOW, false],
];

for (const [name, header, body, now, accepted] of cases) {
	test(`signature: ${name}`, () => {
		const reason = refusal(header, body, SECRET, now);
		assert.equal(reason === undefined, accepted, reason);
	});
}

test('signature: all v1 entries are read', () => {
	const header = `t=5,v1=${'a'.repeat(64)},v1=${'b'.repeat(64)}`;
	assert.deepEqual(parseSignature(header), {
		timestamp: '5',
		candidates: ['a'.repeat(64), 'b'.repeat(64)],
	});
});
