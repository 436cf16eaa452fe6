import { call } from '../../../../shared/api';
import { asObject } from '../../../../shared/problem';
import {
	documentOf,
	orderDocumentField,
	orderSystemField,
	orderSystemOf,
	valueAt,
} from '../../fields';
import type { Operation } from '../../operation';
import { perItem } from '../../operation';

export const operation: Operation = {
	option: {
		name: 'Assess',
		value: 'assess',
		action: 'Assess risk',
		description: 'Score an order without storing it, with the reasons for the verdict',
	},
	properties: [
		orderSystemField,
		orderDocumentField,
		{
			displayName: 'Signals Field',
			name: 'signalsField',
			type: 'string',
			default: '',
			placeholder: 'e.g. signals',
			description:
				'Where in the item an object is with what is known beside the order, such as earlier chargebacks. Leave empty if there is none.',
		},
	],
	run: perItem(async (context, item, itemIndex) => {
		const place = context.getNodeParameter('signalsField', itemIndex, '') as string;
		const signals = place.trim() === '' ? {} : asObject(valueAt(item.json, place.trim()));
		return {
			json: await call(context, 'risk.assess', {
				body: {
					system_id: orderSystemOf(context, itemIndex),
					order: documentOf(context, itemIndex, 'orderField'),
					...(Object.keys(signals).length > 0 ? { signals } : {}),
				},
				itemIndex,
			}),
		};
	}),
};
