import assert from 'node:assert/strict';
import { test } from 'node:test';

import { compiled, contextOf } from './load.mjs';

const { chooseMatch, findKeys } = compiled('nodes/Kette/resources/action/keys');

const action = (key) => ({
	key,
	kind: 'create_task',
	idempotency_key: `kette-${key}`,
	lease_id: 'l1',
});
const linked = { key: 'create_task:ord_1', leaseId: 'l1' };
const keysOfRun = new Set(['create_task:ord_1', 'create_task:ord_2']);

const choices = [
	['only the link', { id: 1 }, linked, linked],
	['only an own key', { key: 'x:1' }, undefined, { key: 'x:1' }],
	['neither', {}, undefined, undefined],
	['an own key that is no text', { key: 12 }, linked, linked],
	['an empty own key', { key: '' }, linked, linked],
	["a vendor's own key does not hide the action", { key: 'SHOP-12' }, linked, linked],
	[
		'the key of another action of the run beats a link that went astray',
		{ key: 'create_task:ord_2' },
		linked,
		{ key: 'create_task:ord_2' },
	],
	['a result names its action', { key: 'other:9', status: 'done' }, linked, { key: 'other:9' }],
	['an action is itself', action('other:9'), linked, { key: 'other:9', leaseId: 'l1' }],
	['link and own key agree: the lease comes from the link', { key: linked.key }, linked, linked],
];
for (const [name, json, link, expected] of choices) {
	test(`key: ${name}`, () => assert.deepEqual(chooseMatch(json, link, keysOfRun), expected));
}

const TRIGGER = { name: 'Due', type: 'n8n-nodes-kette.ketteTrigger' };
const ACTIONS = [action('a:0'), action('a:1'), action('a:2')].map((json) => ({ json }));

function throwing() {
	throw new Error('no way back');
}

test('keys: items of the trigger itself need no look at the run', () => {
	const context = contextOf({ runData: { $getPairedItem: throwing } });
	assert.deepEqual(
		findKeys(context, ACTIONS, '').map(([match]) => match.key),
		['a:0', 'a:1', 'a:2'],
	);
});

test('keys: an answer is followed to the action, whichever source it came from', () => {
	const asked = [];
	const context = contextOf({
		getParentNodes: () => [
			{ name: 'Other', type: 'n8n-nodes-base.set' },
			{ name: 'Swept', type: 'n8n-nodes-base.executeWorkflowTrigger' },
			TRIGGER,
			{ name: 'Kette', type: 'n8n-nodes-kette.kette' },
		],
		source: { main: [{ previousNode: 'HTTP' }] },
		runData: {
			$items: throwing,
			$getPairedItem: (name, source, paired) => {
				asked.push(name);
				assert.equal(source.previousNode, 'HTTP');
				if (name !== 'Due') throwing();
				return ACTIONS[paired.item];
			},
		},
	});
	const items = [2, 0].map((item) => ({ json: { id: 1 }, pairedItem: { item } }));
	assert.deepEqual(
		findKeys(context, items, '').map(([match]) => match),
		[
			{ key: 'a:2', leaseId: 'l1' },
			{ key: 'a:0', leaseId: 'l1' },
		],
	);
	assert.deepEqual([...new Set(asked)], ['Swept', 'Due']);
});

test('keys: a given node is asked and no other', () => {
	const context = contextOf({
		getParentNodes: () => [TRIGGER],
		source: { main: [{ previousNode: 'HTTP' }] },
		runData: {
			$items: throwing,
			$getPairedItem: (name) => (name === 'Mine' ? ACTIONS[1] : throwing()),
		},
	});
	const items = [{ json: {}, pairedItem: { item: 0 } }];
	assert.deepEqual(findKeys(context, items, 'Mine')[0][0].key, 'a:1');
	assert.deepEqual(findKeys(context, items, 'Yours'), [[]]);
});

// A sub-workflow that is not published fails once for all actions handed to it.
test('keys: one error item for all actions stands for all of them', () => {
	const failed = { json: { ...ACTIONS[0].json, error: 'not active' }, pairedItem: { item: 0 } };
	const context = contextOf({
		getParentNodes: (name) =>
			name === 'Call' ? [TRIGGER] : [TRIGGER, { name: 'Call', type: 'x' }],
		source: { main: [{ previousNode: 'Call', previousNodeOutput: 1 }] },
		runData: {
			$getPairedItem: throwing,
			$items: (name, output) => {
				if (name === 'Call' && output === 1) {
					return [{ ...failed, pairedItem: [{ item: 0 }, { item: 1 }, { item: 2 }] }];
				}
				if (name === 'Due' && output < 3) return output === 2 ? ACTIONS : [];
				return throwing();
			},
		},
	});
	assert.deepEqual(
		findKeys(context, [failed], '')[0].map(({ key }) => key),
		['a:0', 'a:1', 'a:2'],
	);
});
