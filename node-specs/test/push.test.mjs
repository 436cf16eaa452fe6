import assert from 'node:assert/strict';
import { test } from 'node:test';

import { compiled } from './load.mjs';

const { readPush } = compiled('nodes/KetteTrigger/push');
const { spread, stageKinds, labelOf, TRIGGER_OUTPUTS, KETTE_OUTPUTS } = compiled('shared/outputs');

const FULFILLMENT = { listenTo: 'stage', stage: 'fulfillment', events: [] };
const EVENTS = { listenTo: 'events', stage: '', events: ['alert'] };

function push(body, listening = FULFILLMENT) {
	return readPush(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), listening);
}

const action = (key, kind) => ({ key, kind, data: { n: 1 } });

test('push: every action becomes an item with the push id', () => {
	const read = push({
		push_id: 'p1',
		stage: 'fulfillment',
		actions: [action('a:1', 'check_stock')],
	});
	assert.deepEqual(read.items, [
		{ json: { key: 'a:1', kind: 'check_stock', data: { n: 1 }, push_id: 'p1' } },
	]);
});

test('push: items of an event carry its name', () => {
	const read = push({ push_id: 'p1', event: 'alert', items: [{ id: 'al_1' }] }, EVENTS);
	assert.deepEqual(read.items, [{ json: { id: 'al_1', event: 'alert', push_id: 'p1' } }]);
	assert.equal(read.kindOf(read.items[0]), 'alert');
});

const refused = [
	['no JSON', 'nonsense', FULFILLMENT, 400],
	['a list', [], FULFILLMENT, 400],
	['no push id', { stage: 'fulfillment', actions: [] }, FULFILLMENT, 400],
	['no actions', { push_id: 'p', stage: 'fulfillment' }, FULFILLMENT, 400],
	['actions of another stage', { push_id: 'p', stage: 'payment', actions: [] }, FULFILLMENT, 409],
	[
		'an action without key',
		{ push_id: 'p', stage: 'fulfillment', actions: [{ kind: 'x' }] },
		FULFILLMENT,
		400,
	],
	[
		'an action that is a text',
		{ push_id: 'p', stage: 'fulfillment', actions: ['x'] },
		FULFILLMENT,
		400,
	],
	['an event without items', { push_id: 'p', event: 'alert' }, EVENTS, 400],
	['items without an event', { push_id: 'p', items: [] }, EVENTS, 400],
	['an event item that is null', { push_id: 'p', event: 'alert', items: [null] }, EVENTS, 400],
];

for (const [name, body, listening, status] of refused) {
	test(`push: ${name} is refused with ${status}`, () => {
		const read = push(body, listening);
		assert.equal(read.ok, false);
		assert.equal(read.status, status);
	});
}

test('outputs: each kind has its own, an unknown kind leaves through the last', () => {
	const kinds = stageKinds(1, 'fulfillment');
	const items = [...kinds, 'levitate_parcel'].map((kind) => ({ json: { kind } }));
	const outputs = spread(items, kinds, (item) => item.json.kind);
	assert.equal(outputs.length, kinds.length + 1);
	assert.deepEqual(
		outputs,
		items.map((item) => [item]),
	);
});

test('outputs: a minor version has the outputs of its major version', () => {
	assert.deepEqual(
		evaluate(TRIGGER_OUTPUTS, { listenTo: 'stage', stage: 'customer' }, 1.1),
		evaluate(TRIGGER_OUTPUTS, { listenTo: 'stage', stage: 'customer' }, 1),
	);
	assert.deepEqual(stageKinds(1.1, 'intake'), stageKinds(1, 'intake'));
});

test('outputs: an unknown node version falls back to the latest table', () => {
	assert.deepEqual(stageKinds(99, 'customer'), stageKinds(1, 'customer'));
});

test('outputs: labels are words', () => {
	assert.equal(labelOf('create_shipment'), 'Create Shipment');
});

/** n8n evaluates what stands between the braces; "}}" inside would end it too early. */
function evaluate(expression, $parameter, $nodeVersion = 1) {
	assert.match(expression, /^=\{\{.*\}\}$/s);
	const code = expression.slice(3, -2);
	assert.ok(!code.includes('}}'), 'the expression holds }}');
	return new Function('$parameter', '$nodeVersion', `return (${code})`)($parameter, $nodeVersion);
}

test('outputs: the trigger names one per kind and a last one for the rest', () => {
	const outputs = evaluate(TRIGGER_OUTPUTS, { listenTo: 'stage', stage: 'returns' });
	assert.deepEqual(
		outputs.map((output) => output.displayName),
		['Send Return Label', 'Inspect Return', 'Restock', 'Update Return', 'Other'],
	);
	assert.ok(outputs.every((output) => output.type === 'main'));
});

test('outputs: the trigger has one per event', () => {
	const outputs = evaluate(TRIGGER_OUTPUTS, { listenTo: 'events', stage: 'intake' });
	assert.deepEqual(
		outputs.map((output) => output.displayName),
		['Exception Opened', 'Status Changed', 'Alert', 'Other'],
	);
});

test('outputs: Kette has two for Ingest, the kinds for Lease if asked, else one', () => {
	const names = (parameters) =>
		evaluate(KETTE_OUTPUTS, parameters).map((output) => output.displayName ?? output);
	assert.deepEqual(names({ resource: 'event', operation: 'ingest' }), ['Accepted', 'Rejected']);
	assert.deepEqual(
		names({ resource: 'action', operation: 'lease', outputMode: 'byKind', stage: 'customer' }),
		['Notify', 'Other'],
	);
	assert.deepEqual(names({ resource: 'action', operation: 'lease', outputMode: 'single' }), [
		'main',
	]);
	assert.deepEqual(names({ resource: 'order', operation: 'get' }), ['main']);
});
