import assert from 'node:assert/strict';
import { test } from 'node:test';

import { compiled, contextOf } from './load.mjs';

const { forwardedHeaders } = compiled('nodes/Kette/resources/event/headers');
const { operation, isRejection } = compiled('nodes/Kette/resources/event/ingest');
const { failedRun } = compiled('nodes/Kette/resources/event/reportFailedRun');

test('headers: what the vendor signed goes through, what belongs to the connection does not', () => {
	const headers = {
		Host: 'n8n.example',
		'Content-Length': '12',
		Connection: 'keep-alive',
		Authorization: 'Basic abc',
		Cookie: 'a=b',
		'X-Forwarded-For': '192.0.2.1',
		'Transfer-Encoding': 'chunked',
		'Content-Type': 'application/json; charset=utf-8',
		'X-WC-Webhook-Signature': 'c2ln',
		'Stripe-Signature': 't=1,v1=abc',
		'User-Agent': 'WooCommerce/9',
		'X-Number': 7,
		'X-List': ['a', 'b'],
		'X-Nothing': null,
	};
	assert.deepEqual(forwardedHeaders(headers), {
		'content-type': 'application/json; charset=utf-8',
		'x-wc-webhook-signature': 'c2ln',
		'stripe-signature': 't=1,v1=abc',
		'user-agent': 'WooCommerce/9',
		'x-number': '7',
		'x-list': 'a, b',
	});
});

test('headers: content-encoding goes only if n8n left the bytes encoded', () => {
	const named = (value) => forwardedHeaders({ 'content-encoding': value })['content-encoding'];
	assert.equal(named('gzip'), undefined);
	assert.equal(named('br'), 'br');
});

test('headers: a form is sent under a type that n8n does not take apart', () => {
	assert.deepEqual(forwardedHeaders({ 'Content-Type': 'application/x-www-form-urlencoded' }), {
		'content-type': 'application/x-www-form-urlencoded;charset=utf-8',
	});
});

test('headers: bytes without a content type are not called a form', () => {
	assert.deepEqual(forwardedHeaders({}), { 'content-type': 'application/octet-stream' });
});

for (const [status, rejected] of [
	[400, true],
	[401, true],
	[413, true],
	[422, true],
	[408, false],
	[425, false],
	[429, false],
	[500, false],
	[503, false],
	[302, false],
]) {
	test(`ingest: status ${status} is ${rejected ? 'a refusal' : 'no refusal'}`, () => {
		assert.equal(isRejection(status), rejected);
	});
}

const RAW = Buffer.from('{"id": 1,  "total":"34.70"}');
const ITEM = {
	json: { headers: { 'x-sig': 's' } },
	binary: { data: { mimeType: 'application/json' } },
};
const PARAMETERS = { systemId: 'woo main/1' };

function ingest(statusCode, body, more = {}) {
	const context = contextOf({
		parameters: PARAMETERS,
		items: [ITEM],
		raw: RAW,
		respond: () => ({ statusCode, body, headers: {} }),
		...more,
	});
	return { context, run: () => operation.run(context, context.getInputData()) };
}

test('ingest: the bytes are sent as they are, to the system of the parameter', async () => {
	const { context, run } = ingest(202, { order_id: 'ord_1' });
	assert.deepEqual(await run(), [[{ json: { order_id: 'ord_1' }, pairedItem: { item: 0 } }], []]);
	const [request] = context.requests;
	assert.equal(request.url, '/v1/events/woo%20main%2F1');
	assert.equal(request.baseURL, 'http://kette.test');
	assert.equal(request.body, RAW);
	assert.equal(request.headers['x-sig'], 's');
	assert.equal(request.disableFollowRedirect, true);
});

test('ingest: a refusal is an item on the second output with its status', async () => {
	const { run } = ingest(401, { code: 'signature_invalid' });
	assert.deepEqual(await run(), [
		[],
		[{ json: { statusCode: 401, code: 'signature_invalid' }, pairedItem: { item: 0 } }],
	]);
});

test('ingest: a broken service is an error with its item, so that the shop sends again', async () => {
	const { run } = ingest(503, { title: 'Database is away', detail: 'Try later.', retryable: true });
	await assert.rejects(run, (error) => {
		assert.equal(error.name, 'NodeApiError');
		assert.equal(error.message, 'Database is away');
		assert.equal(error.httpCode, '503');
		assert.equal(error.context.itemIndex, 0);
		return true;
	});
});

test('ingest: no answer at all is an error, also where n8n shall continue it stays one', async () => {
	const respond = () => {
		throw new Error('connect ECONNREFUSED');
	};
	await assert.rejects(ingest(0, {}, { respond }).run, /cannot be reached/);
	const [accepted, rejected] = await ingest(0, {}, { respond, continueOnFail: true }).run();
	assert.deepEqual(Object.keys(accepted[0].json), ['error']);
	assert.deepEqual(rejected, []);
});

// The vendor would be told that its event is stored, and never send it again.
test('ingest: the page of another server is no acceptance', async () => {
	await assert.rejects(ingest(200, '<h1>Welcome</h1>').run, /not the Kette service/);
});

test('ingest: an item without the raw body says how to get one', async () => {
	const { run } = ingest(202, {}, { items: [{ json: {} }] });
	await assert.rejects(run, (error) => /Raw Body/.test(error.description));
});

test('failed run: no stack and no node data leave n8n', () => {
	const item = {
		workflow: { id: 'w1', name: 'Kette 30', nodes: ['secret'] },
		execution: {
			id: '7',
			url: 'http://n8n/7',
			mode: 'webhook',
			error: { message: 'boom', stack: 'secret', node: { name: 'Create Parcel', parameters: {} } },
			lastNodeExecuted: 'Create Parcel',
		},
	};
	assert.deepEqual(failedRun(item), {
		kind: 'run_failed',
		workflow: { id: 'w1', name: 'Kette 30' },
		execution: {
			id: '7',
			url: 'http://n8n/7',
			error: { message: 'boom', node: { name: 'Create Parcel' } },
			lastNodeExecuted: 'Create Parcel',
		},
	});
});

test('failed run: a workflow that could not start has only a trigger error', () => {
	const item = {
		trigger: { error: { message: 'refused' }, mode: 'trigger' },
		workflow: { id: 'w1' },
	};
	const { execution } = failedRun(item);
	assert.deepEqual(execution.error, { message: 'refused', node: { name: null } });
	assert.equal(execution.id, null);
});
