import { call } from '../../../../shared/api';
import { byAndWhy, byField, orderIdField, orderIdOf, textOf, whyField } from '../../fields';
import type { Operation } from '../../operation';
import { perItem } from '../../operation';

export const operation: Operation = {
	option: {
		name: 'Approve',
		value: 'approve',
		action: 'Approve or refuse step of order',
		description: 'Answer a question that waits for a person, such as a risk review or a refund',
	},
	properties: [
		orderIdField,
		{
			displayName: 'Subject',
			name: 'subject',
			type: 'string',
			default: '',
			placeholder: 'e.g. risk',
			description:
				'What is approved: the key of an action, or "risk" for a risk review. Leave empty to take it from the item, from the field subject.',
		},
		{
			displayName: 'Approved',
			name: 'approved',
			type: 'boolean',
			default: true,
			description: 'Whether the answer is yes; no is a refusal and is kept as one',
		},
		byField,
		whyField,
	],
	run: perItem(async (context, _item, itemIndex) => ({
		json: await call(context, 'order.approve', {
			path: { id: orderIdOf(context, itemIndex) },
			body: {
				subject: textOf(context, itemIndex, 'subject', 'subject'),
				approved: context.getNodeParameter('approved', itemIndex, true) as boolean,
				...byAndWhy(context, itemIndex),
			},
			itemIndex,
		}),
	})),
};
