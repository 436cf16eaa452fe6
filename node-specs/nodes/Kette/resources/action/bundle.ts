import type { IDataObject, INodeExecutionData } from 'n8n-workflow';
import { NodeOperationError } from 'n8n-workflow';

import type { Operation } from '../../operation';
import { textAt, valuesAt } from '../../fields';
import { isAction } from './keys';

/** One bundle: actions of one system, and how much of the limit they use. */
interface Bundle {
	actions: IDataObject[];
	from: number[];
	size: number;
}

export interface Rules {
	groupField: string;
	limit: number;
	countField: string;
	singleFields: string[];
}

/** From the second attempt on an action goes alone: what failed or was lost must be looked at by
 * itself, and one that a vendor refuses must not keep others from going through. */
export function goesAlone(action: IDataObject, rules: Rules): boolean {
	if (typeof action.attempt !== 'number' || action.attempt > 1) return true;
	if (textAt(action, rules.groupField) === undefined) return true;
	if (rules.countField !== '' && valuesAt(action, rules.countField).length > rules.limit) {
		return true;
	}
	return rules.singleFields.some((path) => valuesAt(action, path).length > 0);
}

function sizeOf(action: IDataObject, rules: Rules): number {
	return rules.countField === '' ? 1 : valuesAt(action, rules.countField).length;
}

/** Sorts the actions into bundles and single ones; both keep the order in which they came. */
export function bundle(
	actions: IDataObject[],
	rules: Rules,
): { bundles: Bundle[]; single: number[] } {
	const bundles: Bundle[] = [];
	const open = new Map<string, Bundle>();
	const single: number[] = [];
	for (const [index, action] of actions.entries()) {
		if (goesAlone(action, rules)) {
			single.push(index);
			continue;
		}
		const group = textAt(action, rules.groupField) ?? '';
		const size = sizeOf(action, rules);
		let last = open.get(group);
		if (!last || last.size + size > rules.limit) {
			last = { actions: [], from: [], size: 0 };
			open.set(group, last);
			bundles.push(last);
		}
		last.actions.push(action);
		last.from.push(index);
		last.size += size;
	}
	return { bundles, single };
}

export const operation: Operation = {
	option: {
		name: 'Bundle',
		value: 'bundle',
		action: 'Bundle actions',
		description:
			'Put actions together that a vendor takes in one request. Each bundle is an item with the list "actions"; actions that must go alone leave through the second output.',
	},
	properties: [
		{
			displayName: 'Per',
			name: 'groupField',
			type: 'string',
			default: 'system.base_url',
			required: true,
			placeholder: 'e.g. shop.base_url',
			description: 'Field of the action that must be the same within a bundle',
		},
		{
			displayName: 'Limit',
			name: 'limit',
			type: 'number',
			typeOptions: { minValue: 1 },
			default: 50,
			description: 'Max number of results to return',
		},
		{
			displayName: 'Options',
			name: 'options',
			type: 'collection',
			placeholder: 'Add option',
			default: {},
			options: [
				{
					displayName: 'Count Field',
					name: 'countField',
					type: 'string',
					default: '',
					placeholder: 'e.g. data.lines.product_id',
					description: 'Let the limit count the values of this field instead of the actions',
				},
				{
					displayName: 'Single If Filled',
					name: 'singleFields',
					type: 'string',
					default: '',
					placeholder: 'e.g. data.note',
					description:
						'Actions with a value in one of these fields go alone. Several fields are separated by commas.',
				},
			],
		},
	],
	run: async (context, items) => {
		const lost = items.findIndex((item) => !isAction(item.json));
		if (lost !== -1) {
			throw new NodeOperationError(context.getNode(), 'The item is no action', {
				description: 'Connect this node to a Kette Trigger or to the trigger of a sub-workflow.',
				itemIndex: lost,
			});
		}
		const options = context.getNodeParameter('options', 0, {}) as IDataObject;
		const { bundles, single } = bundle(
			items.map((item) => item.json),
			{
				groupField: context.getNodeParameter('groupField', 0, 'system.base_url') as string,
				limit: context.getNodeParameter('limit', 0, 50) as number,
				countField: String(options.countField ?? '').trim(),
				singleFields: String(options.singleFields ?? '')
					.split(',')
					.map((path) => path.trim())
					.filter((path) => path !== ''),
			},
		);
		const bundled: INodeExecutionData[] = bundles.map(({ actions, from }) => ({
			json: { actions },
			pairedItem: from.map((item) => ({ item })),
		}));
		const alone = single.map((item) => ({
			...(items[item] as INodeExecutionData),
			pairedItem: { item },
		}));
		return [bundled, alone];
	},
};
