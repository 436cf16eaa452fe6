import { call } from '../../../../shared/api';
import { documentOf } from '../../fields';
import type { Operation } from '../../operation';
import { perItem } from '../../operation';

export const operation: Operation = {
	option: {
		name: 'Hand In Reading',
		value: 'handInReading',
		action: 'Hand in reading',
		description: "Hand the answer of a vendor's API to the service",
	},
	properties: [
		{
			displayName: 'System ID',
			name: 'systemId',
			type: 'string',
			default: '',
			required: true,
			placeholder: 'e.g. shopware-main',
			description: 'ID of the system that answered, as in the setup file of the service',
		},
		{
			displayName: 'Answer Field',
			name: 'answerField',
			type: 'string',
			default: '',
			placeholder: 'e.g. body',
			description: 'Where in the item the answer is. Empty: the item is the answer.',
		},
	],
	run: perItem(async (context, _item, itemIndex) => {
		const body = documentOf(context, itemIndex, 'answerField');
		return {
			json: await call(context, 'event.handInReading', {
				path: { system_id: context.getNodeParameter('systemId', itemIndex) as string },
				body,
				itemIndex,
			}),
		};
	}),
};
