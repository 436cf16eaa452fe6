import { call } from '../../../../shared/api';
import { documentOf } from '../../fields';
import type { Operation } from '../../operation';
import { perItem } from '../../operation';

export const operation: Operation = {
	option: {
		name: 'Validate',
		value: 'validate',
		action: 'Validate order',
		description: 'Check an order without storing it: findings, risk, tax, recognised notes',
	},
	properties: [
		{
			displayName: 'Order Field',
			name: 'orderField',
			type: 'string',
			default: '',
			placeholder: 'e.g. body',
			description: 'Where in the item the order is. Leave empty if the item is the order.',
		},
	],
	run: perItem(async (context, _item, itemIndex) => ({
		json: await call(context, 'order.validate', {
			body: documentOf(context, itemIndex, 'orderField'),
			itemIndex,
		}),
	})),
};
