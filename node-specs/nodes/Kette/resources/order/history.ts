import { call } from '../../../../shared/api';
import { orderIdField, orderIdOf } from '../../fields';
import type { Operation } from '../../operation';
import { listOf, perItem } from '../../operation';

export const operation: Operation = {
	option: {
		name: 'History',
		value: 'history',
		action: 'Get history of order',
		description: 'Read what happened: facts, decisions with reasons, actions and people',
	},
	properties: [orderIdField],
	run: perItem(async (context, _item, itemIndex) => {
		const answer = await call(context, 'order.history', {
			path: { id: orderIdOf(context, itemIndex) },
			itemIndex,
		});
		return listOf(answer, 'items').map((json) => ({ json }));
	}),
};
