import { call } from '../../../../shared/api';
import { byField, orderIdField, orderIdOf, textOf } from '../../fields';
import type { Operation } from '../../operation';
import { perItem } from '../../operation';

export const operation: Operation = {
	option: {
		name: 'Add Note',
		value: 'addNote',
		action: 'Add note to order',
		description: 'Write a free note into the history of an order',
	},
	properties: [
		orderIdField,
		{
			displayName: 'Text',
			name: 'text',
			type: 'string',
			typeOptions: { rows: 3 },
			default: '',
			placeholder: 'e.g. Customer wants delivery after 5 pm',
			description: 'Leave empty to take it from the item, from the field text',
		},
		byField,
	],
	run: perItem(async (context, _item, itemIndex) => ({
		json: await call(context, 'order.addNote', {
			path: { id: orderIdOf(context, itemIndex) },
			body: {
				text: textOf(context, itemIndex, 'text', 'text'),
				by: textOf(context, itemIndex, 'by', 'by'),
			},
			itemIndex,
		}),
	})),
};
