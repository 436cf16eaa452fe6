import assert from 'node:assert/strict';
import { test } from 'node:test';

import { compiled, contextOf } from './load.mjs';

const { outcomeOf, resultOf, limited, MAX_ANSWER_BYTES } = compiled(
	'nodes/Kette/resources/action/results',
);
const { operation: report } = compiled('nodes/Kette/resources/action/report');
const { operation: collect } = compiled('nodes/Kette/resources/action/collect');

const SETTINGS = {
	outcome: 'done',
	referenceField: 'parcel.id,id',
	error: '',
	retryable: undefined,
	answerField: '',
	acceptUnchanged: false,
	mustHold: [],
};
const ACTION = {
	key: 'create_shipment:ord_1:1',
	kind: 'create_shipment',
	idempotency_key: 'kette-1',
	lease_id: 'lse_1',
	data: { parcel: 1 },
};
const outcome = (json, settings = {}) => outcomeOf({ json }, { ...SETTINGS, ...settings });

const cases = [
	[
		'an answer with a nested reference',
		{ parcel: { id: 77 } },
		{},
		{ status: 'done', reference: '77', answer: { parcel: { id: 77 } } },
	],
	[
		'an answer with a plain reference',
		{ id: 're_1' },
		{},
		{ status: 'done', reference: 're_1', answer: { id: 're_1' } },
	],
	['an answer without reference', { ok: true }, {}, { status: 'done', answer: { ok: true } }],
	[
		'a full response: the body is the answer',
		{ statusCode: 200, headers: {}, body: { id: 5 } },
		{},
		{ status: 'done', reference: '5', answer: { id: 5 } },
	],
	[
		'an answer merged into the action: only the answer',
		{ ...ACTION, id: 9 },
		{},
		{ status: 'done', reference: '9', answer: { id: 9 } },
	],
	[
		'an answer that holds what it must',
		{ parcel: { id: 0 } },
		{ mustHold: ['id', 'parcel.id'] },
		{ status: 'done', reference: '0', answer: { parcel: { id: 0 } } },
	],
	[
		"a proxy's answer that holds nothing of it",
		{ data: 'Welcome', parcel: null },
		{ mustHold: ['id', 'parcel.id'] },
		{
			status: 'failed',
			error: 'The answer has no "id" or "parcel.id", so it is not known whether it was done',
			retryable: true,
			answer: { data: 'Welcome', parcel: null },
		},
	],
	[
		'a refusal stays a refusal, whatever an answer must hold',
		{ error: '422 - no such country' },
		{ mustHold: ['id'] },
		{ status: 'failed', error: '422 - no such country', retryable: false },
	],
	['an unchanged action may be accepted', ACTION, { acceptUnchanged: true }, { status: 'done' }],
	[
		'failed with a reason',
		{ ...ACTION },
		{ outcome: 'failed', error: 'No CRM' },
		{ status: 'failed', error: 'No CRM', retryable: false },
	],
	[
		'failed with a reason and an error',
		{ error: 'down' },
		{ outcome: 'failed', error: 'Not started' },
		{ status: 'failed', error: 'Not started: down', retryable: true },
	],
	[
		'failed, the author knows better',
		{ error: '400 - x' },
		{ outcome: 'failed', retryable: true },
		{ status: 'failed', error: '400 - x', retryable: true },
	],
	[
		'an error is failed whatever was chosen',
		{ error: '500 - x' },
		{},
		{ status: 'failed', error: '500 - x', retryable: true },
	],
	[
		'taken from the item',
		{ key: 'k', status: 'done', reference: 5, answer: { a: 1 } },
		{ outcome: 'item' },
		{ status: 'done', reference: '5', answer: { a: 1 } },
	],
	[
		'taken from the item, failed',
		{ key: 'k', status: 'failed', error: 'no', retryable: false },
		{ outcome: 'item' },
		{ status: 'failed', error: 'no', retryable: false },
	],
	[
		'an error item where the item should tell',
		{ error: '404 - x' },
		{ outcome: 'item' },
		{ status: 'failed', error: '404 - x', retryable: false },
	],
	['an item that does not tell', { status: 'shipped' }, { outcome: 'item' }, undefined],
];
for (const [name, json, settings, expected] of cases) {
	test(`outcome: ${name}`, () => assert.deepEqual(outcome(json, settings), expected));
}

// n8n 2.40 puts the input on the first output when a node throws as a whole and is set to continue.
// Without this rule a missing credential at the carrier would have been reported as a shipment.
test('outcome: an action that arrives unchanged was not done', () => {
	const { status, retryable } = outcome(ACTION);
	assert.deepEqual({ status, retryable }, { status: 'failed', retryable: true });
});

test('result: several items of one action are one result with all answers', () => {
	const outcomes = [{ id: 1 }, { id: 2 }].map((json) => outcome(json));
	assert.deepEqual(resultOf({ key: 'k', leaseId: 'l' }, outcomes, 'products'), {
		key: 'k',
		lease_id: 'l',
		status: 'done',
		reference: '1',
		answer: { products: [{ id: 1 }, { id: 2 }] },
	});
	assert.deepEqual(resultOf({ key: 'k' }, outcomes, '').answer, { items: [{ id: 1 }, { id: 2 }] });
});

test('result: one item under a name is still a list, without a name it stays as it is', () => {
	const outcomes = [outcome({ id: 1 })];
	assert.deepEqual(resultOf({ key: 'k' }, outcomes, 'products').answer, { products: [{ id: 1 }] });
	assert.deepEqual(resultOf({ key: 'k' }, outcomes, '').answer, { id: 1 });
});

test('result: one failed item fails the action', () => {
	const outcomes = [outcome({ id: 1 }), outcome({ error: '500 - x' }), outcome({ id: 2 })];
	assert.deepEqual(resultOf({ key: 'k' }, outcomes, 'products'), {
		key: 'k',
		status: 'failed',
		error: '500 - x',
		retryable: true,
	});
});

test('answer: whole fields are kept while they fit, the others are named', () => {
	const small = { id: 1, text: 'x' };
	assert.equal(limited(small), small);
	const cut = limited({ id: 1, label: 'x'.repeat(MAX_ANSWER_BYTES), tracking_number: '3S1' });
	assert.deepEqual(cut, { id: 1, tracking_number: '3S1', kette_dropped_fields: ['label'] });
});

function reporting(items, more = {}) {
	return contextOf({
		parameters: { outcome: 'item' },
		items,
		respond: ({ body }) => ({
			statusCode: 200,
			body: { results: body.results.map(({ key }) => ({ key, accepted: true, status: 'done' })) },
		}),
		...more,
	});
}
const done = (key) => ({ json: { key, status: 'done' } });

test('report: all items in one call, pairing kept', async () => {
	const items = [done('a:1'), done('a:2'), done('a:1')];
	const context = reporting(items);
	const [out] = await report.run(context, items);
	assert.equal(context.requests.length, 1);
	assert.deepEqual(
		context.requests[0].body.results.map(({ key }) => key),
		['a:1', 'a:2'],
	);
	assert.deepEqual(out, [
		{
			json: { key: 'a:1', accepted: true, status: 'done' },
			pairedItem: [{ item: 0 }, { item: 2 }],
		},
		{ json: { key: 'a:2', accepted: true, status: 'done' }, pairedItem: [{ item: 1 }] },
	]);
});

test('report: at most 500 results in a call', async () => {
	const items = Array.from({ length: 1001 }, (_, index) => done(`a:${index}`));
	const context = reporting(items);
	const [out] = await report.run(context, items);
	assert.deepEqual(
		context.requests.map(({ body }) => body.results.length),
		[500, 500, 1],
	);
	assert.equal(out.length, 1001);
});

test('report: an item without action does not keep the others from counting', async () => {
	const items = [{ json: { status: 'done' } }, done('a:1')];
	const context = reporting(items);
	await assert.rejects(report.run(context, items), (error) => {
		assert.equal(error.context.itemIndex, 0);
		return /belong to no action/.test(error.message);
	});
	assert.deepEqual(context.requests[0].body.results, [{ key: 'a:1', status: 'done' }]);
	const [out] = await report.run(reporting(items, { continueOnFail: true }), items);
	assert.deepEqual(
		out.map(({ pairedItem }) => pairedItem),
		[[{ item: 1 }], { item: 0 }],
	);
});

test('report: the problem of the service is what n8n shows', async () => {
	const respond = () => ({
		statusCode: 403,
		body: { title: 'Role may not do this', detail: 'Needs automation.', code: 'forbidden' },
	});
	const items = [done('a:1')];
	await assert.rejects(report.run(reporting(items, { respond }), items), (error) => {
		assert.equal(error.name, 'NodeApiError');
		assert.equal(error.message, 'Role may not do this');
		assert.match(error.description, /Needs automation\. \(forbidden\) Give the API key a role/);
		return error.context.itemIndex === 0;
	});
});

test('collect: results without any call', async () => {
	const items = [done('a:1')];
	const context = reporting(items);
	assert.deepEqual(await collect.run(context, items), [
		[{ json: { key: 'a:1', status: 'done' }, pairedItem: [{ item: 0 }] }],
	]);
	assert.equal(context.requests.length, 0);
});
