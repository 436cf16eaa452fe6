import assert from 'node:assert/strict';
import { test } from 'node:test';

import { compiled, contextOf } from './load.mjs';

const { bundle } = compiled('nodes/Kette/resources/action/bundle');
const { operation } = compiled('nodes/Kette/resources/action/bundle');
const { faultText } = compiled('nodes/Kette/resources/action/bundled');
const { operation: report } = compiled('nodes/Kette/resources/action/report');

const RULES = { groupField: 'shop.base_url', limit: 2, countField: '', singleFields: [] };
const BUNDLE = { name: 'Bundle', type: 'n8n-nodes-kette.kette' };

const action = (n, changes = {}) => ({
	key: `check_stock:${n}`,
	kind: 'check_stock',
	idempotency_key: `kette-${n}`,
	lease_id: 'lse_1',
	attempt: 1,
	shop: { base_url: 'https://a.example', order_id: String(n) },
	data: { lines: [{ product_id: String(n) }, { product_id: '100' }] },
	...changes,
});

function numbers(actions, rules) {
	const { bundles, single } = bundle(actions, { ...RULES, ...rules });
	return [bundles.map(({ from }) => from), single];
}

test('bundle: as many as the limit allows, in their order', () => {
	assert.deepEqual(numbers([action(0), action(1), action(2)]), [[[0, 1], [2]], []]);
});

test('bundle: never of two systems', () => {
	const other = action(1, { shop: { base_url: 'https://b.example' } });
	assert.deepEqual(numbers([action(0), other, action(2)]), [[[0, 2], [1]], []]);
});

const alone = [
	['a repeated try', { attempt: 2 }, {}],
	['a try of unknown number', { attempt: undefined }, {}],
	['no system', { shop: {} }, {}],
	['a named field that is filled', { data: { note: 'x' } }, { singleFields: ['data.note'] }],
	[
		'a named field that is filled in one entry of a list',
		{ data: { lines: [{ product_id: '1' }, { product_id: '2', variation_id: 7 }] } },
		{ singleFields: ['data.lines.variation_id'] },
	],
	[
		'more entries than the limit',
		{ data: { lines: [1, 2, 3].map((product_id) => ({ product_id })) } },
		{ countField: 'data.lines.product_id' },
	],
];
for (const [name, changes, rules] of alone) {
	test(`bundle: ${name} goes alone`, () => {
		assert.deepEqual(numbers([action(0, { data: {} }), action(1, changes)], rules), [[[0]], [1]]);
	});
}

test('bundle: the limit may count entries of a list', () => {
	const rules = { countField: 'data.lines.product_id', limit: 5 };
	assert.deepEqual(numbers([action(0), action(1), action(2)], rules), [[[0, 1], [2]], []]);
});

test('bundle: the node keeps the links of its items', async () => {
	const items = [action(0), action(1, { attempt: 2 }), action(2)].map((json) => ({ json }));
	const context = contextOf({ items, parameters: { groupField: 'shop.base_url', limit: 9 } });
	const [bundled, single] = await operation.run(context, items);
	assert.deepEqual(bundled, [
		{ json: { actions: [items[0].json, items[2].json] }, pairedItem: [{ item: 0 }, { item: 2 }] },
	]);
	assert.deepEqual(single, [{ json: items[1].json, pairedItem: { item: 1 } }]);
	await assert.rejects(operation.run(context, [{ json: { id: 1 } }]), /no action/);
});

/** What is reported when the bundle of these actions was answered so. */
async function reported(actions, answer, parameters) {
	const context = contextOf({
		parameters: { outcome: 'done', ...parameters },
		getParentNodes: () => [{ name: 'In', type: 'n8n-nodes-base.executeWorkflowTrigger' }, BUNDLE],
		source: { main: [{ previousNode: 'HTTP' }] },
		runData: {
			$getPairedItem: (name) => (name === 'Bundle' ? { json: { actions } } : { json: actions[0] }),
		},
		respond: ({ body }) => ({
			statusCode: 200,
			body: { results: body.results.map(({ key }) => ({ key, accepted: true })) },
		}),
	});
	const items = [{ pairedItem: { item: 0 }, ...answer }];
	const [out] = await report.run(context, items);
	assert.deepEqual(
		out.map(({ json, pairedItem }) => [json.key, pairedItem]),
		actions.map(({ key }) => [key, [{ item: 0 }]]),
	);
	return context.requests[0].body.results;
}

const PARCELS = {
	referenceField: 'id',
	bundle: {
		actionMatch: 'idempotency_key',
		answerMatch: 'external_reference',
		answersField: 'parcels',
		failuresField: 'failed_parcels',
	},
};

test('answers to a bundle: each action gets its own, refused ones their reason', async () => {
	const parcel = { id: 7, external_reference: 'kette-2' };
	const failed = {
		parcel: { external_reference: 'kette-1', name: '' },
		errors: { name: ['This field is required.'] },
	};
	const json = { parcels: [parcel], failed_parcels: [failed] };
	assert.deepEqual(await reported([action(1), action(2), action(3)], { json }, PARCELS), [
		{
			key: 'check_stock:1',
			status: 'failed',
			error: 'name: This field is required.',
			retryable: false,
			answer: { errors: failed.errors },
			lease_id: 'lse_1',
		},
		{ key: 'check_stock:2', status: 'done', reference: '7', answer: parcel, lease_id: 'lse_1' },
		{
			key: 'check_stock:3',
			status: 'failed',
			error: 'The answer to the bundle says nothing about this action; it is tried alone next',
			retryable: true,
			lease_id: 'lse_1',
		},
	]);
});

test('answers to a bundle: what refuses the whole bundle may spare each of its actions', async () => {
	const json = { error: { message: '400 - broken', httpCode: '400' } };
	for (const result of await reported([action(1), action(2)], { json }, PARCELS)) {
		assert.deepEqual([result.status, result.retryable], ['failed', true]);
		assert.match(result.error, /broken/);
	}
});

test('answers to a bundle: an error in the place of an answer is a failure', async () => {
	const error = { code: 'invalid_id', message: 'Invalid ID.', data: { status: 400 } };
	const json = { update: [{ id: 2 }, { id: 1, error }] };
	const bundled = { actionMatch: 'shop.order_id', answerMatch: 'id', answersField: 'update' };
	const parameters = { referenceField: 'id', bundle: bundled };
	const results = await reported([action(1), action(2)], { json }, parameters);
	assert.deepEqual(
		results.map(({ status, retryable }) => [status, retryable]),
		[
			['failed', false],
			['done', undefined],
		],
	);
	assert.match(results[0].error, /Invalid ID/);
});

test('answers to a bundle: an action with several values needs an answer to each', async () => {
	const body = [1, 100, 9].map((id) => ({ id, stock_status: 'instock' }));
	const parameters = {
		options: { answerField: 'products' },
		bundle: { actionMatch: 'data.lines.product_id', answerMatch: 'id' },
	};
	const json = { statusCode: 200, headers: {}, body };
	const [one, two] = await reported([action(1), action(2)], { json }, parameters);
	assert.deepEqual(one.answer, { products: body.slice(0, 2) });
	assert.deepEqual([two.status, two.retryable], ['failed', true]);
});

test('answers to a bundle: a refused request is a failure also as a full response', async () => {
	const json = { statusCode: 503, headers: {}, body: { message: 'Maintenance' } };
	const [result] = await reported([action(1)], { json }, PARCELS);
	assert.deepEqual([result.status, result.retryable], ['failed', true]);
});

test('the words of a fault from any depth', () => {
	const fault = { address: [{ city: ['too long', 'unknown'] }], weight: 3 };
	assert.equal(faultText(fault), 'address: city: too long, unknown; weight: 3');
});

// n8n's HTTP Request makes such an item of an empty body; the node broke on it, and with it the run.
test('report: an item without json is an empty answer, not the end of the run', async () => {
	for (const result of await reported([action(1), action(2)], { json: undefined }, PARCELS)) {
		assert.equal(result.status, 'failed');
		assert.equal(result.retryable, true);
		assert.match(result.error, /answer is empty/);
	}
});
