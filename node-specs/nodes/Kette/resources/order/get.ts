import { call } from '../../../../shared/api';
import { orderIdField, orderIdOf } from '../../fields';
import type { Operation } from '../../operation';
import { perItem } from '../../operation';

export const operation: Operation = {
	option: {
		name: 'Get',
		value: 'get',
		action: 'Get order',
		description: 'Read one order with its six statuses',
	},
	properties: [orderIdField],
	run: perItem(async (context, _item, itemIndex) => ({
		json: await call(context, 'order.get', {
			path: { id: orderIdOf(context, itemIndex) },
			itemIndex,
		}),
	})),
};
