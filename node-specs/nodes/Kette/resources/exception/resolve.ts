import { call } from '../../../../shared/api';
import { byAndWhy, byField, exceptionIdField, exceptionIdOf, whyField } from '../../fields';
import type { Operation } from '../../operation';
import { perItem } from '../../operation';

export const operation: Operation = {
	option: {
		name: 'Resolve',
		value: 'resolve',
		action: 'Resolve exception',
		description: 'Close an entry of the exception list',
	},
	properties: [
		exceptionIdField,
		{
			displayName: 'Resolution',
			name: 'resolution',
			type: 'options',
			options: [
				{
					name: 'Accepted',
					value: 'accepted',
					description: 'The situation stays as it is, and that is fine',
				},
				{ name: 'Done', value: 'done', description: 'The asked-for step was done elsewhere' },
				{ name: 'Fixed', value: 'fixed', description: 'The cause was corrected' },
			],
			default: 'done',
			description: 'How the entry was settled',
		},
		byField,
		whyField,
	],
	run: perItem(async (context, _item, itemIndex) => ({
		json: await call(context, 'exception.resolve', {
			path: { id: exceptionIdOf(context, itemIndex) },
			body: {
				resolution: context.getNodeParameter('resolution', itemIndex, 'done') as string,
				...byAndWhy(context, itemIndex),
			},
			itemIndex,
		}),
	})),
};
