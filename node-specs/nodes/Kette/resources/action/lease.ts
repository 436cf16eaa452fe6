import type { IDataObject, INodeExecutionData } from 'n8n-workflow';

import { call } from '../../../../shared/api';
import { STAGE_OPTIONS, spread, stageKinds } from '../../../../shared/outputs';
import type { Operation } from '../../operation';
import { failedItem, listOf, withItem } from '../../operation';

export const operation: Operation = {
	option: {
		name: 'Lease',
		value: 'lease',
		action: 'Lease actions',
		description:
			'Fetch actions of a stage that are due, for instance what a push could not deliver',
	},
	properties: [
		{
			displayName: 'Stage',
			name: 'stage',
			type: 'options',
			noDataExpression: true,
			options: STAGE_OPTIONS,
			default: 'intake',
			description: 'Which part of the chain',
		},
		{
			displayName: 'Max',
			name: 'max',
			type: 'number',
			typeOptions: { minValue: 1, maxValue: 500 },
			default: 50,
			description: 'How many actions to take at most',
		},
		{
			displayName: 'Output',
			name: 'outputMode',
			type: 'options',
			noDataExpression: true,
			options: [
				{
					name: 'One Output',
					value: 'single',
					description: 'All actions leave through one output',
				},
				{
					name: 'One per Kind',
					value: 'byKind',
					description: 'The same outputs as the Kette Trigger has for this stage',
				},
			],
			default: 'single',
			description: 'How the actions leave this node',
		},
		{
			displayName: 'Options',
			name: 'options',
			type: 'collection',
			placeholder: 'Add option',
			default: {},
			options: [
				{
					displayName: 'Kinds',
					name: 'kinds',
					type: 'string',
					typeOptions: { multipleValues: true, multipleValueButtonText: 'Add Kind' },
					default: [],
					placeholder: 'e.g. create_shipment',
					description: 'Only these kinds of action',
				},
				{
					displayName: 'Worker',
					name: 'worker',
					type: 'string',
					default: '',
					placeholder: 'e.g. n8n-1',
					description: 'Name under which the lease shows in the history',
				},
			],
		},
	],
	run: async (context, items) => {
		const leased: INodeExecutionData[] = [];
		for (const itemIndex of items.keys()) {
			try {
				const options = context.getNodeParameter('options', itemIndex, {}) as IDataObject;
				const kinds = Array.isArray(options.kinds) ? (options.kinds as string[]) : [];
				const answer = await call(context, 'action.lease', {
					body: {
						stage: context.getNodeParameter('stage', itemIndex) as string,
						max: context.getNodeParameter('max', itemIndex, 50) as number,
						...(kinds.length > 0 ? { kinds } : {}),
						...(options.worker ? { worker: options.worker } : {}),
					},
					itemIndex,
				});
				for (const action of listOf(answer, 'actions')) {
					const json = { lease_id: answer.lease_id, ...action };
					leased.push({ json, pairedItem: { item: itemIndex } });
				}
			} catch (error) {
				if (!context.continueOnFail()) throw withItem(context, error, itemIndex);
				leased.push(failedItem(error, itemIndex));
			}
		}
		if (context.getNodeParameter('outputMode', 0, 'single') !== 'byKind') return [leased];
		const kinds = stageKinds(
			context.getNode().typeVersion,
			context.getNodeParameter('stage', 0) as string,
		);
		return spread(leased, kinds, (item) => item.json.kind);
	},
};
