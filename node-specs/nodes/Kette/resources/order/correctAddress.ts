import { NodeOperationError } from 'n8n-workflow';
import type { IDataObject, IExecuteFunctions, INodeProperties } from 'n8n-workflow';

import { CALLS, call } from '../../../../shared/api';
import { asObject } from '../../../../shared/problem';
import { byAndWhy, byField, orderIdField, orderIdOf, whyField } from '../../fields';
import type { Operation } from '../../operation';
import { perItem } from '../../operation';

function line(displayName: string, name: string, description: string): INodeProperties {
	return { displayName, name, type: 'string', default: '', description };
}

const FIELDS = CALLS['order.correctAddress'].body
	.filter((field) => field.startsWith('address.'))
	.map((field) => field.slice('address.'.length));

/** Only the fields the service knows: an item's address may carry more. */
function addressOf(context: IExecuteFunctions, itemIndex: number): IDataObject {
	const given = context.getNodeParameter('address', itemIndex, {}) as IDataObject;
	const source =
		Object.keys(given).length > 0
			? given
			: asObject(context.getInputData()[itemIndex]?.json.address);
	const address = Object.fromEntries(
		FIELDS.filter((field) => source[field] !== undefined).map((field) => [field, source[field]]),
	) as IDataObject;
	if (Object.keys(address).length > 0) return address;
	throw new NodeOperationError(context.getNode(), 'The corrected address is empty', {
		description: 'Fill the address, or give the item an object "address".',
		itemIndex,
	});
}

export const operation: Operation = {
	option: {
		name: 'Correct Address',
		value: 'correctAddress',
		action: 'Correct address of order',
		description: 'Replace the delivery address; the order is checked again at once',
	},
	properties: [
		orderIdField,
		{
			displayName: 'Address',
			name: 'address',
			type: 'collection',
			placeholder: 'Add Line',
			default: {},
			description: 'Leave empty to take it from the item, from the object "address"',
			options: [
				line('City', 'city', 'Town or city'),
				line('Company', 'company', 'Company of the recipient'),
				line('Country Code', 'country_code', 'Two letters, such as DE'),
				{
					displayName: 'Email',
					name: 'email',
					type: 'string',
					placeholder: 'e.g. name@email.com',
					default: '',
					description: 'Where the carrier may announce the parcel',
				},
				line('Line 1', 'line1', 'Street and house number, or parcel locker'),
				line('Line 2', 'line2', 'Floor, building, post number'),
				line('Name', 'name', 'Name of the recipient'),
				line('Phone', 'phone', 'With country prefix, such as +49'),
				line('Postal Code', 'postal_code', 'As written in the country'),
				line('Region', 'region', 'State or province, where the country needs one'),
			],
		},
		byField,
		whyField,
	],
	run: perItem(async (context, _item, itemIndex) => ({
		json: await call(context, 'order.correctAddress', {
			path: { id: orderIdOf(context, itemIndex) },
			body: { address: addressOf(context, itemIndex), ...byAndWhy(context, itemIndex) },
			itemIndex,
		}),
	})),
};
