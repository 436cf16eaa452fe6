import type { IDataObject } from 'n8n-workflow';

import { limitField, limitOf, returnAllField } from '../../fields';
import type { Operation } from '../../operation';
import { perItem } from '../../operation';
import { readPages } from '../../pages';

export const operation: Operation = {
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many exceptions',
		description: 'Read the exception list with context, owner, due time and suggestion',
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
					displayName: 'Kind',
					name: 'kind',
					type: 'string',
					default: '',
					placeholder: 'e.g. invalid_address',
					description: 'What the entry is about',
				},
				{
					displayName: 'Order ID',
					name: 'order_id',
					type: 'string',
					default: '',
					description: 'Entries of one order',
				},
				{
					displayName: 'Owner',
					name: 'owner',
					type: 'string',
					default: '',
					description: 'Role or person the entry is assigned to',
				},
				{
					displayName: 'Status',
					name: 'status',
					type: 'string',
					default: 'open',
					description: 'One of the statuses in the API documentation of the service',
				},
			],
		},
	],
	run: perItem(async (context, _item, itemIndex) => {
		const filters = context.getNodeParameter('filters', itemIndex, {}) as IDataObject;
		const wanted = limitOf(context, itemIndex);
		const found = await readPages(context, 'exception.getAll', filters, wanted, itemIndex);
		return found.map((json) => ({ json }));
	}),
};
