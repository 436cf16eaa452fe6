/** Reads a list page by page until it ends or enough is read. */
import { NodeOperationError } from 'n8n-workflow';
import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';

import { call } from '../../shared/api';
import { listOf } from './operation';

const PAGE_SIZE = 200;
// A cursor that never ends must not keep an execution busy for ever.
const MAX_PAGES = 10_000;

export async function readPages(
	context: IExecuteFunctions,
	name: 'order.getAll' | 'exception.getAll',
	filters: IDataObject,
	wanted: number,
	itemIndex: number,
): Promise<IDataObject[]> {
	const found: IDataObject[] = [];
	let cursor = '';
	for (let page = 0; page < MAX_PAGES; page++) {
		const limit = Math.min(PAGE_SIZE, wanted - found.length);
		const answer = await call(context, name, { query: { ...filters, cursor, limit }, itemIndex });
		found.push(...listOf(answer, 'items'));
		const next = typeof answer.next_cursor === 'string' ? answer.next_cursor : '';
		if (next === '' || next === cursor || found.length >= wanted) return found.slice(0, wanted);
		cursor = next;
	}
	throw new NodeOperationError(context.getNode(), 'The list does not end', {
		description: `There are more than ${MAX_PAGES} pages: narrow the filters.`,
		itemIndex,
	});
}
