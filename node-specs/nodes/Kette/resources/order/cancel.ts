import { call } from '../../../../shared/api';
import { byAndWhy, byField, orderIdField, orderIdOf, whyField } from '../../fields';
import type { Operation } from '../../operation';
import { perItem } from '../../operation';

export const operation: Operation = {
	option: {
		name: 'Cancel',
		value: 'cancel',
		action: 'Cancel order',
		description: 'Ask for the cancellation; the service decides what has to be undone',
	},
	properties: [orderIdField, byField, whyField],
	run: perItem(async (context, _item, itemIndex) => ({
		json: await call(context, 'order.cancel', {
			path: { id: orderIdOf(context, itemIndex) },
			body: byAndWhy(context, itemIndex),
			itemIndex,
		}),
	})),
};
