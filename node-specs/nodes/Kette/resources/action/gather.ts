/** From input items to one result per action: the part that Report and Collect Results share. */
import { NodeOperationError } from 'n8n-workflow';
import type {
	IDataObject,
	IExecuteFunctions,
	INodeExecutionData,
	INodeProperties,
	IPairedItemData,
} from 'n8n-workflow';

import { failedItem } from '../../operation';
import { bundleFields, matchingOf, outcomesOf } from './bundled';
import type { Matching } from './bundled';
import { findBundles, findKeys } from './keys';
import type { Match } from './keys';
import { outcomeOf, resultOf } from './results';
import type { Outcome, Result, Settings } from './results';

export interface Gathered {
	results: Result[];
	pairingOf: (key: string) => IPairedItemData[];
	lost: number[];
}

export const resultFields: INodeProperties[] = [
	{
		displayName: 'Outcome',
		name: 'outcome',
		type: 'options',
		noDataExpression: true,
		options: [
			{ name: 'Done', value: 'done', description: 'The vendor did it; the item is its answer' },
			{
				name: 'Failed',
				value: 'failed',
				description: 'It could not be done, for the given reason',
			},
			{
				name: 'Take From Item',
				value: 'item',
				description: 'The item has the fields key, status, reference, answer, error, retryable',
			},
		],
		default: 'done',
		description:
			'What became of the actions. Items that carry an error are failed whatever is chosen here.',
	},
	{
		displayName: 'Reference Field',
		name: 'referenceField',
		type: 'string',
		default: '',
		placeholder: 'e.g. parcel.number',
		description:
			"Where in the answer the vendor's own ID is. Several places, separated by commas, are tried in order.",
		displayOptions: { show: { outcome: ['done'] } },
	},
	{
		displayName: 'Actions From Node',
		name: 'actionsFrom',
		type: 'string',
		default: '',
		placeholder: 'e.g. Kette Trigger',
		description:
			'Name of the node that handed out the actions. Leave empty to find it: Kette Trigger, Kette (Lease) or the trigger of a sub-workflow.',
	},
	{
		displayName: 'Options',
		name: 'options',
		type: 'collection',
		placeholder: 'Add option',
		default: {},
		options: [
			{
				displayName: 'Accept Unchanged Items',
				name: 'acceptUnchanged',
				type: 'boolean',
				default: false,
				description:
					'Whether an action that arrives without any answer counts as done. n8n passes items on like that also when a node fails and is set to continue.',
			},
			{
				displayName: 'Answer Field',
				name: 'answerField',
				type: 'string',
				default: '',
				placeholder: 'e.g. products',
				description:
					'Put the answers of all items of an action into a list under this name. Without it a single answer stays as it is, several become a list "items".',
			},
			{
				displayName: 'Answer Must Hold',
				name: 'mustHold',
				type: 'string',
				default: '',
				placeholder: 'e.g. parcel.number',
				description:
					'Field without which an answer does not count as done but as failed, to be tried again: what a proxy or a half-broken shop says instead of an answer. Of several, separated by commas, one is enough.',
			},
			{
				displayName: 'Error',
				name: 'error',
				type: 'string',
				default: '',
				placeholder: 'e.g. The carrier does not serve this country',
				description: 'What the exception list says for the outcome Failed',
			},
			{
				displayName: 'Retryable',
				name: 'retryable',
				type: 'boolean',
				default: false,
				description:
					'Whether, for the outcome Failed, another attempt may succeed without anybody changing something',
			},
		],
	},
	bundleFields,
];

function settingsOf(context: IExecuteFunctions): Settings {
	const options = context.getNodeParameter('options', 0, {}) as IDataObject;
	return {
		outcome: context.getNodeParameter('outcome', 0, 'done') as Settings['outcome'],
		referenceField: context.getNodeParameter('referenceField', 0, '') as string,
		error: String(options.error ?? '').trim(),
		retryable: typeof options.retryable === 'boolean' ? options.retryable : undefined,
		answerField: String(options.answerField ?? '').trim(),
		acceptUnchanged: options.acceptUnchanged === true,
		mustHold: String(options.mustHold ?? '')
			.split(',')
			.map((path) => path.trim())
			.filter((path) => path !== ''),
	};
}

interface Part {
	match: Match;
	outcomes: Outcome[];
}

/** What each item says about which actions; nothing for an item that is lost. */
function partsOf(
	context: IExecuteFunctions,
	items: INodeExecutionData[],
	settings: Settings,
	matching: Matching | undefined,
): Part[][] {
	if (matching) {
		return findBundles(context, items).map((actions, index) =>
			outcomesOf(actions ?? [], items[index] as INodeExecutionData, settings, matching),
		);
	}
	const actionsFrom = context.getNodeParameter('actionsFrom', 0, '') as string;
	return findKeys(context, items, actionsFrom).map((found, index) => {
		const outcome = outcomeOf(items[index] as INodeExecutionData, settings);
		return outcome ? found.map((match) => ({ match, outcomes: [outcome] })) : [];
	});
}

/** n8n's HTTP Request makes an item without json of an empty body. */
function answered(item: INodeExecutionData): INodeExecutionData {
	const json: unknown = item.json;
	if (typeof json === 'object' && json !== null) return item;
	return { ...item, json: { error: 'The answer is empty, so it is not known whether it was done' } };
}

export function gather(context: IExecuteFunctions, given: INodeExecutionData[]): Gathered {
	const items = given.map(answered);
	const settings = settingsOf(context);
	const matching = matchingOf(context.getNodeParameter('bundle', 0, {}) as IDataObject);
	const groups = new Map<string, { match: Match; outcomes: Outcome[]; from: number[] }>();
	const lost: number[] = [];
	for (const [itemIndex, parts] of partsOf(context, items, settings, matching).entries()) {
		if (parts.length === 0) lost.push(itemIndex);
		for (const { match, outcomes } of parts) {
			const group = groups.get(match.key) ?? { match, outcomes: [], from: [] };
			group.outcomes.push(...outcomes);
			group.from.push(itemIndex);
			groups.set(match.key, group);
		}
	}
	return {
		results: [...groups.values()].map(({ match, outcomes }) =>
			resultOf(match, outcomes, settings.answerField),
		),
		pairingOf: (key) => (groups.get(key)?.from ?? []).map((item) => ({ item })),
		lost,
	};
}

/** Items without action or outcome come last, so that they cannot keep the others from counting. */
export function lostItems(context: IExecuteFunctions, lost: number[]): INodeExecutionData[] {
	const [first] = lost;
	if (first === undefined) return [];
	const error = new NodeOperationError(
		context.getNode(),
		`${lost.length} of the items belong to no action or state no outcome`,
		{
			description:
				'Each item must be linked to the item of a Kette Trigger, or have its own fields key and status. Nodes that aggregate or make new items break the link.',
			itemIndex: first,
		},
	);
	if (!context.continueOnFail()) throw error;
	return lost.map((itemIndex) => failedItem(error, itemIndex));
}
