import type { IDataObject } from 'n8n-workflow';

import { limitField, limitOf, returnAllField } from '../../fields';
import type { Operation } from '../../operation';
import { perItem } from '../../operation';
import { readPages } from '../../pages';

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
					placeholder: 'e.g. 2026-11-01T00:00:00Z',
					description: 'Orders placed at this time or later',
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
					placeholder: 'e.g. payment:paid',
					description: 'A status of the order, or with its axis such as payment:paid',
				},
				{
					displayName: 'To',
					name: 'to',
					type: 'string',
					default: '',
					placeholder: 'e.g. 2026-12-01T00:00:00Z',
					description: 'Orders placed before this time',
				},
			],
		},
	],
	run: perItem(async (context, _item, itemIndex) => {
		const filters = context.getNodeParameter('filters', itemIndex, {}) as IDataObject;
		const wanted = limitOf(context, itemIndex);
		const found = await readPages(context, 'order.getAll', filters, wanted, itemIndex);
		return found.map((json) => ({ json }));
	}),
};
