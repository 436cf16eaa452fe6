import assert from 'node:assert/strict';
import { test } from 'node:test';

import { compiled, contextOf } from './load.mjs';

const { operation } = compiled('nodes/Kette/resources/pull/next');
const { answerOf } = compiled('nodes/Kette/resources/pull/answer');

const ASK = { method: 'GET', url: 'http://shop.test/orders?page=1', path: '/orders?page=1' };

/** A node in its loop: each round gives it an item, and the service answers the next of `turns`. */
function loop(turns) {
	const items = [];
	const context = contextOf({
		parameters: { systemId: 'woo main' },
		items,
		respond: () => ({ statusCode: 200, body: turns.shift(), headers: {} }),
	});
	return {
		requests: context.requests,
		round: async (json) => {
			items.splice(0, items.length, { json });
			return await operation.run(context, items);
		},
	};
}

test('pull: the first round begins, and puts the request out', async () => {
	const { requests, round } = loop([{ step: 'ask', pull_id: 'p1', ask: ASK, wait_s: 0 }]);
	const [asked, ended] = await round({ timestamp: 'now' });
	assert.equal(asked[0].json.url, ASK.url);
	assert.deepEqual(asked[0].pairedItem, { item: 0 });
	assert.deepEqual(ended, []);
	assert.equal(requests[0].url, '/v1/pulls/woo%20main');
	assert.deepEqual(requests[0].body, { pull_id: '' });
});

test('pull: the answer goes in with the pull it belongs to, its body as text', async () => {
	const { requests, round } = loop([
		{ step: 'ask', pull_id: 'p1', ask: ASK, wait_s: 0 },
		{ step: 'complete', pull_id: '', ask: null, counts: { fresh: 1 } },
	]);
	await round({});
	const [asked, ended] = await round({
		data: '[{"total":57.940000000000005}]',
		headers: { 'x-wp-total': '1' },
		statusCode: 200,
	});
	assert.deepEqual(asked, []);
	assert.equal(ended[0].json.step, 'complete');
	assert.deepEqual(requests[1].body, {
		pull_id: 'p1',
		answer: {
			status: 200,
			headers: { 'x-wp-total': '1' },
			body: '[{"total":57.940000000000005}]',
		},
	});
});

test('pull: after the end the same node begins anew', async () => {
	const { requests, round } = loop([
		{ step: 'busy', pull_id: '', ask: null },
		{ step: 'ask', pull_id: 'p2', ask: ASK },
	]);
	await round({});
	await round({});
	assert.deepEqual(requests[1].body, { pull_id: '' });
});

for (const [title, item, status] of [
	['an error of the HTTP node', { error: { message: 'ECONNREFUSED' } }, 0],
	['an answer that is no number', { statusCode: 'x' }, 0],
	['a refusal', { statusCode: 401, headers: {}, data: '{"code":"no"}' }, 401],
	['a body that was parsed all the same', { statusCode: 200, body: [{ id: 1 }] }, 200],
]) {
	test(`pull: ${title} is status ${status}`, () => {
		const answer = answerOf(item);
		assert.equal(answer.status, status);
		assert.equal(typeof answer.body, 'string');
	});
}

test('pull: what the service refuses is an error', async () => {
	const context = contextOf({
		parameters: { systemId: 'x' },
		items: [{ json: {} }],
		respond: () => ({
			statusCode: 404,
			body: { title: 'Unknown system', detail: 'No system x.', code: 'unknown_system' },
			headers: {},
		}),
	});
	await assert.rejects(operation.run(context, context.getInputData()), /Unknown system/);
});
