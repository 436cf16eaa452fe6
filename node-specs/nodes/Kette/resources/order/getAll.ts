import { NodeOperationError } from 'n8n-workflow';
import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';

import { call } from '../../../../shared/api';
import { limitField, limitOf, returnAllField } from '../../fields';
import type { Operation } from '../../operation';
import { listOf, perItem } from '../../operation';

const PAGE_SIZE = 100;
const MAX_PAGES = 10_000;

async function pages(
	context: IExecuteFunctions,
	filters: IDataObject,
	wanted: number,
	itemIndex: number,
): Promise<IDataObject[]> {
	const found: IDataObject[] = [];
	let cursor = '';
	for (let page = 0; page < MAX_PAGES; page++) {
		const answer = await call(context, 'order.getAll', {
			query: { ...filters, cursor, limit: Math.min(PAGE_SIZE, wanted - found.length) },
			itemIndex,
		});
		found.push(...listOf(answer, 'items'));
		const next = typeof answer.next_cursor === 'string' ? answer.next_cursor : '';
		if (next === '' || next === cursor || found.length >= wanted) return found.slice(0, wanted);
		cursor = next;
	}
	throw new NodeOperationError(context.getNode(), 'The list of orders does not end', {
		description: `More than ${MAX_PAGES} pages: narrow the filters.`,
		itemIndex,
	});
}

export const operation: Operation = {
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many orders',
		description: 'Read orders, newest first',
	},
	properties: [
		returnAllField,
		limitField,
		{
			displayName: 'Filters',
			name: 'filters',
			type: 'collection',
			placeholder: 'Add Filter',
			default: {},
			options: [
				{
					displayName: 'Channel',
					name: 'channel',
					type: 'string',
					default: '',
					placeholder: 'e.g. woo-main',
					description: 'ID of the shop in the setup file',
				},
				{
					displayName: 'External ID',
					name: 'external_id',
					type: 'string',
					default: '',
					description: 'ID of the order in the shop',
				},
				{
					displayName: 'From',
					name: 'from',
					type: 'string',
					default: '',
					placeholder: 'e.g. 2026-11-01',
					description: 'Orders placed on this day or later',
				},
				{
					displayName: 'Order Number',
					name: 'number',
					type: 'string',
					default: '',
					description: 'Number of the order as the customer knows it',
				},
				{
					displayName: 'Status',
					name: 'status',
					type: 'string',
					default: '',
					placeholder: 'e.g. on_hold',
					description: 'Status of the order, one of those in the API documentation of the service',
				},
				{
					displayName: 'To',
					name: 'to',
					type: 'string',
					default: '',
					placeholder: 'e.g. 2026-11-30',
					description: 'Orders placed on this day or before',
				},
			],
		},
	],
	run: perItem(async (context, _item, itemIndex) => {
		const filters = context.getNodeParameter('filters', itemIndex, {}) as IDataObject;
		const found = await pages(context, filters, limitOf(context, itemIndex), itemIndex);
		return found.map((json) => ({ json }));
	}),
};
