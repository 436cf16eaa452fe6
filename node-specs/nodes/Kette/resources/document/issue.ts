import { NodeOperationError } from 'n8n-workflow';
import type { INodeExecutionData } from 'n8n-workflow';

import { call } from '../../../../shared/api';
import type { Operation } from '../../operation';
import { failedItem, listOf, withItem } from '../../operation';
import { chunksOf } from '../action/chunks';
import { findKeys } from '../action/keys';

// Numbers and PDFs are made while the call runs, so it may take longer and the batches are smaller.
const MAX_KEYS = 100;
const TIMEOUT_MS = 120_000;

export const operation: Operation = {
	option: {
		name: 'Issue',
		value: 'issue',
		action: 'Issue documents',
		description:
			'Make the invoices or credit notes that the items ask for and complete these actions',
	},
	properties: [],
	run: async (context, items) => {
		const found = findKeys(context, items, '');
		const itemOf = new Map<string, number>();
		const out: INodeExecutionData[] = [];
		for (const [itemIndex, match] of found.entries()) {
			for (const { key } of match) itemOf.set(key, itemOf.get(key) ?? itemIndex);
		}
		for (const keys of chunksOf([...itemOf.keys()], MAX_KEYS)) {
			try {
				const answer = await call(context, 'document.issue', {
					body: { keys },
					timeoutMs: TIMEOUT_MS,
				});
				for (const json of listOf(answer, 'results')) {
					out.push({ json, pairedItem: { item: itemOf.get(String(json.key)) ?? 0 } });
				}
			} catch (error) {
				const first = itemOf.get(keys[0] ?? '') ?? 0;
				if (!context.continueOnFail()) throw withItem(context, error, first);
				for (const key of keys) out.push(failedItem(error, itemOf.get(key) ?? 0));
			}
		}
		const lost = found.findIndex((match) => match.length === 0);
		if (lost !== -1) {
			const error = new NodeOperationError(context.getNode(), 'The item belongs to no action', {
				description: 'Connect this node to the output "Issue Invoice" of a Kette Trigger.',
				itemIndex: lost,
			});
			if (!context.continueOnFail()) throw error;
			out.push(failedItem(error, lost));
		}
		return [out];
	},
};
