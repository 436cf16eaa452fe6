import { call } from '../../../../shared/api';
import { byAndWhy, byField, exceptionIdField, exceptionIdOf, textOf, whyField } from '../../fields';
import type { Operation } from '../../operation';
import { perItem } from '../../operation';

export const operation: Operation = {
	option: {
		name: 'Snooze',
		value: 'snooze',
		action: 'Snooze exception',
		description: 'Hide an entry of the exception list until a given time',
	},
	properties: [
		exceptionIdField,
		{
			displayName: 'Until',
			name: 'until',
			type: 'string',
			default: '',
			placeholder: 'e.g. 2026-11-30T09:00:00Z',
			description:
				'When it shall come back, with time zone. Leave empty to take it from the item, from the field until.',
		},
		byField,
		whyField,
	],
	run: perItem(async (context, _item, itemIndex) => ({
		json: await call(context, 'exception.snooze', {
			path: { id: exceptionIdOf(context, itemIndex) },
			body: {
				until: textOf(context, itemIndex, 'until', 'until'),
				...byAndWhy(context, itemIndex),
			},
			itemIndex,
		}),
	})),
};
