import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { compiled, contextOf } from './load.mjs';

const { CALLS, call, callIfThere, pathOf, unlistedFields } = compiled('shared/api');
const { problemText } = compiled('shared/problem');
const { numberInPath } = compiled('nodes/Kette/resources/document/downloadPdf');
const { labelOf, valueAt, textAt } = compiled('nodes/Kette/fields');
const { Kette } = compiled('nodes/Kette/Kette.node');
const { KetteTrigger } = compiled('nodes/KetteTrigger/KetteTrigger.node');
const { failedItem } = compiled('nodes/Kette/operation');
const { KetteApi } = compiled('credentials/KetteApi.credentials');

test('path: values cannot leave their segment', () => {
	assert.equal(pathOf('order.get', { id: 'a/../b?x' }), '/v1/orders/a%2F..%2Fb%3Fx');
	for (const id of ['', '.', '..', undefined]) {
		assert.throws(() => pathOf('order.get', { id }), /needs a value/);
	}
});

test('body: a field that the table does not name is refused before anything is sent', async () => {
	assert.deepEqual(
		unlistedFields('action.report', { results: [{ key: 'k', answer: { any: [1] } }] }),
		[],
	);
	assert.deepEqual(unlistedFields('action.report', { results: [{ kee: 'k' }] }), ['results[].kee']);
	assert.deepEqual(unlistedFields('event.reportFailedRun', { any: { thing: 1 } }), []);
	assert.deepEqual(unlistedFields('order.correctAddress', { address: { city: 'x', zip: 1 } }), [
		'address.zip',
	]);
	assert.deepEqual(unlistedFields('order.validate', { order: { any: { thing: 1 } } }), []);
	const context = contextOf({ respond: () => assert.fail('sent') });
	await assert.rejects(
		call(context, 'order.cancel', { path: { id: '1' }, body: { bye: 1 } }),
		/bye/,
	);
	await assert.rejects(call(context, 'order.getAll', { query: { color: 'red' } }), /color/);
});

test('query: empty filters are left out', async () => {
	const context = contextOf({ respond: () => ({ statusCode: 200, body: { items: [] } }) });
	await call(context, 'order.getAll', {
		query: { status: '', number: '102', limit: 5, cursor: '' },
	});
	assert.deepEqual(context.requests[0].qs, { number: '102', limit: 5 });
});

test('call: 404 is an error for call and no error for callIfThere', async () => {
	const respond = () => ({ statusCode: 404, body: { title: 'Not found' } });
	const path = { id: 's1' };
	await assert.rejects(call(contextOf({ respond }), 'subscription.get', { path }), /Not found/);
	assert.equal(await callIfThere(contextOf({ respond }), 'subscription.get', { path }), undefined);
});

test('problem: an answer that is no problem document is named by its status', () => {
	const text = problemText(502, '<html>Bad gateway</html>');
	assert.equal(text.message, 'The Kette service answered with status 502');
	assert.match(text.description, /Retry On Fail/);
});

test('problem: reasons are part of the description', () => {
	const { message, description } = problemText(409, {
		title: 'Order is shipped',
		detail: 'It cannot be cancelled.',
		reasons: ['parcel 1 left on Monday', { code: 'x' }],
		code: 'conflict',
	});
	assert.equal(message, 'Order is shipped');
	assert.equal(
		description,
		'It cannot be cancelled. parcel 1 left on Monday {"code":"x"} (conflict)',
	);
});

test('problem: a reason that the detail tells already is not told twice', () => {
	const { description } = problemText(422, {
		detail: "status: 'x' is none of open, closed",
		reasons: [
			{ field: 'status', message: "'x' is none of open, closed" },
			{ field: 'limit', message: 'too small' },
		],
	});
	assert.equal(description, "status: 'x' is none of open, closed limit: too small");
});

// The page of another server looked like an empty list: no orders, nothing due, all well.
for (const [name, body] of [
	['a page', '<h1>Welcome</h1>'],
	['an empty body', ''],
	['a list', []],
]) {
	test(`call: ${name} with 200 is not an answer of the service`, async () => {
		const context = contextOf({ respond: () => ({ statusCode: 200, body }) });
		await assert.rejects(call(context, 'order.getAll'), /not the Kette service/);
	});
}

test('call: 204 has no body', async () => {
	const context = contextOf({ respond: () => ({ statusCode: 204, body: '' }) });
	assert.deepEqual(await call(context, 'subscription.delete', { path: { id: 's1' } }), {});
});

test('call: blanks around the address and the key do no harm', async () => {
	const context = contextOf({ respond: () => ({ statusCode: 200, body: {} }) });
	context.getCredentials = async () => ({ baseUrl: ' http://kette.test/ ' });
	await call(context, 'order.getAll');
	assert.equal(context.requests[0].baseURL, 'http://kette.test');
	const { headers } = await new KetteApi().authenticate({ apiKey: 'kette_1\n' }, { url: '/' });
	assert.equal(headers.Authorization, 'Bearer kette_1');
});

test('continue: a failed item says what, where and what to do, not only the title', () => {
	const error = Object.assign(new Error('There is no such thing'), {
		description: "There is no order 'ord_x'. Check the ID.",
	});
	const { json, pairedItem } = failedItem(error, 3);
	assert.equal(json.error, "There is no such thing: There is no order 'ord_x'. Check the ID.");
	assert.deepEqual(pairedItem, { item: 3 });
	assert.equal(failedItem(new Error('down'), 0).json.error, 'down');
});

test('fields: a missing parameter is called as the editor calls it', () => {
	assert.equal(labelOf('orderId'), 'Order ID');
	assert.equal(labelOf('addressField'), 'Address Field');
	assert.equal(labelOf('by'), 'By');
});

test('pdf: only the path of a document is followed', () => {
	assert.equal(numberInPath('/v1/invoices/RE-2026-000001.pdf'), 'RE-2026-000001');
	for (const path of [
		undefined,
		'',
		'https://evil.example/v1/invoices/1.pdf',
		'//evil/v1/invoices/1.pdf',
		'/v1/orders/1',
		'/v1/invoices/a/b.pdf',
		'/v1/invoices/1.pdf?x',
	]) {
		assert.equal(numberInPath(path), undefined, path);
	}
});

test('fields: dot paths read own fields only', () => {
	assert.equal(valueAt({ a: { b: [{ c: 1 }] } }, 'a.b.0.c'), 1);
	assert.equal(valueAt({ a: 1 }, 'a.b'), undefined);
	assert.equal(valueAt({}, 'constructor.name'), undefined);
	assert.equal(textAt({ id: 0, n: 'x' }, 'missing, id'), '0');
	assert.equal(textAt({ id: null, n: 'x' }, 'id, n'), 'x');
});

test('fast path: no parameter default and no authentication needs an expression', async () => {
	const texts = JSON.stringify([
		new Kette().description.properties,
		new KetteTrigger().description.properties,
	]);
	assert.ok(!/"default":"=/.test(texts));
	const options = await new KetteApi().authenticate(
		{ apiKey: 'kette_1' },
		{ url: '/', headers: { a: 'b' } },
	);
	assert.deepEqual(options.headers, { a: 'b', Authorization: 'Bearer kette_1' });
});

test('descriptions: parameters of one operation have distinct names, and each has a default', () => {
	for (const { properties } of [new Kette().description, new KetteTrigger().description]) {
		const seen = new Set();
		for (const property of properties) {
			assert.notEqual(property.default, undefined, property.name);
			const place = JSON.stringify([property.name, property.displayOptions ?? {}]);
			assert.ok(!seen.has(place), place);
			seen.add(place);
		}
	}
});

test('table: every call is used by the code, and no other path is', () => {
	const used = new Set();
	const files = ['nodes/KetteTrigger/subscription'];
	const { RESOURCES } = compiled('nodes/Kette/resources/index');
	for (const { option, operations } of RESOURCES) {
		for (const operation of operations)
			files.push(`nodes/Kette/resources/${option.value}/${operation.option.value}`);
	}
	for (const file of files) {
		const source = readFileSync(new URL(`../dist/${file}.js`, import.meta.url), 'utf8');
		for (const [, name] of source.matchAll(/'([a-z]+\.[a-zA-Z]+)'/g))
			if (name in CALLS) used.add(name);
	}
	assert.deepEqual([...used].sort(), Object.keys(CALLS).sort());
});

test('lists: pages are read until the end or the limit', async () => {
	const { readPages } = compiled('nodes/Kette/pages');
	const respond = ({ qs }) => {
		const start = Number(qs.cursor ?? 0);
		const items = Array.from({ length: qs.limit }, (_, index) => ({ n: start + index }));
		return { statusCode: 200, body: { items, next_cursor: String(start + items.length) } };
	};
	const context = contextOf({ respond });
	const found = await readPages(context, 'exception.getAll', { status: 'open' }, 450, 0);
	assert.deepEqual(
		found.map(({ n }) => n),
		[...Array(450).keys()],
	);
	assert.deepEqual(
		context.requests.map(({ qs }) => qs.limit),
		[200, 200, 50],
	);

	const short = contextOf({
		respond: () => ({ statusCode: 200, body: { items: [{ n: 1 }], next_cursor: null } }),
	});
	assert.equal((await readPages(short, 'order.getAll', {}, Infinity, 0)).length, 1);

	const stuck = contextOf({
		respond: () => ({ statusCode: 200, body: { items: [{}], next_cursor: 'same' } }),
	});
	assert.equal((await readPages(stuck, 'order.getAll', {}, Infinity, 0)).length, 2);
});
