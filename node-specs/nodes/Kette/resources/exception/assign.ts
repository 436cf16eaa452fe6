import { call } from '../../../../shared/api';
import { byAndWhy, byField, exceptionIdField, exceptionIdOf, textOf, whyField } from '../../fields';
import type { Operation } from '../../operation';
import { perItem } from '../../operation';

export const operation: Operation = {
	option: {
		name: 'Assign',
		value: 'assign',
		action: 'Assign exception',
		description: 'Give an entry of the exception list another owner',
	},
	properties: [
		exceptionIdField,
		{
			displayName: 'Owner',
			name: 'owner',
			type: 'string',
			default: '',
			placeholder: 'e.g. warehouse',
			description:
				'Role or person who shall take care. Leave empty to take it from the item, from the field owner.',
		},
		byField,
		whyField,
	],
	run: perItem(async (context, _item, itemIndex) => ({
		json: await call(context, 'exception.assign', {
			path: { id: exceptionIdOf(context, itemIndex) },
			body: {
				owner: textOf(context, itemIndex, 'owner', 'owner'),
				...byAndWhy(context, itemIndex),
			},
			itemIndex,
		}),
	})),
};
