import { call } from '../../../../shared/api';
import { documentOf, orderDocumentField, orderSystemField, orderSystemOf } from '../../fields';
import type { Operation } from '../../operation';
import { perItem } from '../../operation';

export const operation: Operation = {
	option: {
		name: 'Validate',
		value: 'validate',
		action: 'Validate order',
		description: 'Check an order without storing it: findings, risk, tax, recognised notes',
	},
	properties: [orderSystemField, orderDocumentField],
	run: perItem(async (context, _item, itemIndex) => ({
		json: await call(context, 'order.validate', {
			body: {
				system_id: orderSystemOf(context, itemIndex),
				order: documentOf(context, itemIndex, 'orderField'),
			},
			itemIndex,
		}),
	})),
};
