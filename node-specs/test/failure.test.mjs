import assert from 'node:assert/strict';
import { test } from 'node:test';

import { compiled } from './load.mjs';

const { failureOf, httpStatusOf, isRetryable } = compiled('nodes/Kette/resources/action/failure');

for (const [status, retryable] of [
	[undefined, true],
	[400, false],
	[401, false],
	[403, false],
	[404, false],
	[408, true],
	[409, true],
	[422, false],
	[425, true],
	[429, true],
	[499, false],
	[500, true],
	[503, true],
]) {
	test(`failure: ${status ?? 'no status'} may ${retryable ? '' : 'not '}be tried again`, () => {
		assert.equal(isRetryable(status), retryable);
	});
}

const statuses = [
	['the code of a NodeApiError, a text', { httpCode: '404', message: 'x' }, 404],
	['axios: status', { status: 429, message: 'x' }, 429],
	['axios: inside the response', { message: 'x', response: { status: 503 } }, 503],
	['inside the cause', { cause: { cause: { httpCode: '422' } } }, 422],
	['only in the text', '402 - {"error":{}}', 402],
	['axios text', 'Request failed with status code 409', 409],
	['a connection code is none', { code: 'ECONNREFUSED', message: 'connect' }, undefined],
	['a vendor code is none', { code: 'card_declined', message: 'declined' }, undefined],
	['a success status is none', { status: 200 }, undefined],
	['a number that is no status', '4011 parcels', undefined],
	['nothing', undefined, undefined],
];
for (const [name, error, status] of statuses) {
	test(`failure: status in ${name}`, () => assert.equal(httpStatusOf(error), status));
}

test('failure: circular errors end', () => {
	const error = { message: 'x' };
	error.cause = error;
	assert.equal(httpStatusOf(error), undefined);
});

test('failure: HTTP Request 4.5, error output: message, status and the body of the vendor', () => {
	const item = {
		json: {
			key: 'create_shipment:ord_1:1',
			error: {
				message: '422 - "..."',
				name: 'AxiosError',
				status: 422,
				config: { headers: { Authorization: 'Basic secret' } },
			},
			details: {
				message: 'Invalid',
				httpCode: '422',
				body: { error: { message: 'House number' } },
			},
		},
	};
	const failure = failureOf(item);
	assert.deepEqual(failure, {
		message: '422 - "..."',
		retryable: false,
		answer: { error: { message: 'House number' } },
	});
	assert.ok(!JSON.stringify(failure).includes('secret'));
});

test('failure: most nodes give only a text', () => {
	assert.deepEqual(failureOf({ json: { error: 'The service refused the connection' } }), {
		message: 'The service refused the connection',
		retryable: true,
	});
});

test('failure: an error object beside the json', () => {
	const error = Object.assign(new Error('boom'), { httpCode: '400', description: 'why' });
	assert.deepEqual(failureOf({ json: {}, error }), { message: 'boom: why', retryable: false });
});

test('failure: a full response with "Never Error"', () => {
	const json = {
		statusCode: 404,
		statusMessage: 'Not Found',
		headers: {},
		body: { message: 'gone' },
	};
	assert.deepEqual(failureOf({ json }), {
		message: '404 Not Found: {"message":"gone"}',
		retryable: false,
		answer: { message: 'gone' },
	});
	assert.equal(failureOf({ json: { ...json, statusCode: 201 } }), undefined);
});

test('failure: answers of vendors are no errors only because of a word in them', () => {
	for (const json of [
		{ error: null },
		{ error: '' },
		{ errors: {} },
		{ status: 'failed' },
		{ statusCode: 500 },
	]) {
		assert.equal(failureOf({ json }), undefined, JSON.stringify(json));
	}
});

test('failure: a very long message is cut', () => {
	assert.equal(failureOf({ json: { error: 'x'.repeat(5000) } }).message.length, 1000);
});
