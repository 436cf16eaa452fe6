import assert from 'node:assert/strict';
import { test } from 'node:test';

import { compiled, contextOf } from './load.mjs';

const { operation } = compiled('nodes/Kette/resources/event/handInReading');

const ANSWER = {
	total: 1,
	data: [{ id: 'a', orderNumber: '10001', amountTotal: 57.940000000000005 }],
};

function handIn(
	parameters,
	json,
	respond = () => ({ statusCode: 202, body: { order_id: 'ord_1' } }),
) {
	const context = contextOf({ parameters, items: [{ json }], respond });
	return { context, run: () => operation.run(context, context.getInputData()) };
}

test('reading: the item is the answer, sent to the system of the parameter', async () => {
	const { context, run } = handIn({ systemId: 'shopware main' }, ANSWER);
	assert.deepEqual(await run(), [[{ json: { order_id: 'ord_1' }, pairedItem: { item: 0 } }]]);
	const [request] = context.requests;
	assert.equal(request.url, '/v1/readings/shopware%20main');
	assert.deepEqual(request.body, ANSWER);
});

test('reading: the answer may stand in a field', async () => {
	const { context, run } = handIn(
		{ systemId: 'shopware-main', answerField: 'body' },
		{ statusCode: 200, headers: {}, body: ANSWER },
	);
	await run();
	assert.deepEqual(context.requests[0].body, ANSWER);
});

test('reading: nothing to hand in is an error that names the field', async () => {
	const { run } = handIn({ systemId: 'shopware-main', answerField: 'body' }, { statusCode: 200 });
	await assert.rejects(run, /no object at "body"/);
});

test('reading: what the service refuses is an error, so that the run can be repeated', async () => {
	const { run } = handIn({ systemId: 'x' }, ANSWER, () => ({
		statusCode: 404,
		body: { title: 'Unknown system', detail: 'No system x.', code: 'unknown_system' },
		headers: {},
	}));
	await assert.rejects(run, /Unknown system/);
});
