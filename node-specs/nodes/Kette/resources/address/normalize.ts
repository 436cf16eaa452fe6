import { CALLS, call } from '../../../../shared/api';
import { documentOf } from '../../fields';
import type { Operation } from '../../operation';
import { perItem } from '../../operation';

export const operation: Operation = {
	option: {
		name: 'Normalize',
		value: 'normalize',
		action: 'Normalize address',
		description: 'Split, check and format a postal address; parcel lockers are recognised',
	},
	properties: [
		{
			displayName: 'Address Field',
			name: 'addressField',
			type: 'string',
			default: '',
			placeholder: 'e.g. data.address',
			description: 'Where in the item the address is. Leave empty if the item is the address.',
		},
	],
	run: perItem(async (context, _item, itemIndex) => {
		const document = documentOf(context, itemIndex, 'addressField');
		const known = CALLS['address.normalize'].body.filter((field) => document[field] !== undefined);
		return {
			json: await call(context, 'address.normalize', {
				body: Object.fromEntries(known.map((field) => [field, document[field]])),
				itemIndex,
			}),
		};
	}),
};
